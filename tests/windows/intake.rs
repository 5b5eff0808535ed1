//! Which records a window gathers, and what becomes of the others.

use fusion::{Skipped, Window, prelude::*};

use crate::{
    common::{Record, SOON, Tail, eventually},
    story::{DAY, HOUR, LATER, Reading, SECOND, Seen, Story, fired, now, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_no_window_can_use_is_skipped_and_moves_nothing() {
    #[reactor(
        window! < readings: "skipped.brake" by id at time >,
        tumbling = 10s, grace = 0s, idle = never, to = "skipped.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["skipped.brake"], "skipped.results").await;
    let mut letters = Tail::at_end(&story.config, "skipped.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("skipped.brake", "a", 1, 0).await;
    let far = story.base + HOUR;
    let skipped = [
        Record::to("skipped.brake").value([0xff, 0x00]).timestamp(far),
        Record::to("skipped.brake").timestamp(far),
        Record::to("skipped.brake").value(r#"{"id": "a"}"#).timestamp(far),
        Record::to("skipped.brake")
            .value(format!(r#"{{"id": null, "value": 2, "time": {far}}}"#))
            .timestamp(far),
        Record::to("skipped.brake").value(r#"{"id": "a", "value": 3, "time": -1}"#).timestamp(far),
        Record::to("skipped.brake").value(r#"{"id": "a", "value": 4}"#).timestamp(far),
    ];
    for record in skipped {
        story.raw.send(record.partition(0)).await;
    }
    // None of them moved time: this is neither late nor alone in its window.
    story.send("skipped.brake", "a", 5, 1).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[1, 5], 0..10_000, "closed")]);
    let look = story.look();
    eventually(SOON, || look.is_done("skipped.brake")).await;
    // Also if there is nothing else.
    story.raw.send(Record::to("skipped.brake").value("{").partition(0)).await;
    eventually(SOON, || look.is_done("skipped.brake")).await;
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_skipped_is_kept_if_the_app_wants_it() {
    #[reactor(
        window! < readings: "kept.brake" by id at time >,
        tumbling = 10s, grace = 0s, idle = never, to = "kept.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["kept.brake"], "kept.results").await;
    story.config = story.config.clone().keep_skipped(true);
    let mut letters = Tail::at_end(&story.config, "kept.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let bytes =
        Record::to("kept.brake").key([0xfe]).value([0xff, 0x00]).header("own", [0xc3]).null_header("null");
    let bytes = bytes.partition(0).timestamp(story.base + 7);
    let (_, offset) = story.raw.send(bytes.clone()).await;
    for value in [r#"{"id": null, "value": 2, "time": 1}"#, r#"{"id": "a", "value": 3, "time": -1}"#] {
        story.raw.send(Record::to("kept.brake").value(value).partition(0)).await;
    }
    let mut kept = letters.take(3).await;
    kept.sort_by_key(|letter| letter.get("kafka_dlt-original-offset").to_vec());
    let reasons: Vec<&str> = kept.iter().map(|letter| letter.text("kafka_dlt-exception-fqcn")).collect();
    assert_eq!(reasons, ["undecodable", "no_key", "no_time"]);
    assert_eq!(
        (&kept[0].key, &kept[0].value, kept[0].timestamp),
        (&bytes.key, &bytes.value, bytes.timestamp)
    );
    assert_eq!(kept[0].headers[..2], bytes.headers);
    assert_eq!(kept[0].text("kafka_dlt-original-topic"), "kept.brake");
    assert_eq!(kept[0].get("kafka_dlt-original-partition"), 0_i32.to_be_bytes());
    assert_eq!(kept[0].get("kafka_dlt-original-offset"), offset.to_be_bytes());
    assert_eq!(kept[0].get("kafka_dlt-original-timestamp"), (story.base + 7).to_be_bytes());
    assert_eq!(kept[0].text("kafka_dlt-original-consumer-group"), story.group);
    // The others are gathered all the same.
    story.send("kept.brake", "a", 5, 1).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[5], 0..10_000, "closed")]);
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_far_ahead_of_the_clock_moves_no_time_and_what_is_too_far_is_kept_aside() {
    #[reactor(
        window! < readings: "ahead.brake" | "ahead.lidar" by id at time >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, max_future = 1m, to = "ahead.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["ahead.brake", "ahead.lidar"], "ahead.results").await;
    let mut letters = Tail::at_end(&story.config, "ahead.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("ahead.brake", "a", 1, 0).await;
    story.send("ahead.lidar", "b", 2, 0).await;
    // Two hours ahead, and a day and an hour.
    let (ahead, too_far) = (now() + 2 * HOUR - story.base, now() + DAY + HOUR - story.base);
    // Brokers refuse such timestamps, and know nothing of what a record says itself.
    let base = story.base;
    let send = async |topic: &str, id: &str, value: u32, time: i64| {
        story.raw.send(story.reading(topic, id, value, time).timestamp(base)).await;
    };
    send("ahead.brake", "too far", 3, too_far).await;
    send("ahead.brake", "ahead", 4, ahead).await;
    send("ahead.lidar", "ahead", 5, ahead).await;
    let start = ahead / 10_000 * 10_000;
    // It is gathered: here it even fires. Which of the two topics comes first into the log is open, not what is handed
    // over: same time, so the topics' order.
    let record = story.record().await;
    assert_eq!(story.read(&record), fired("ahead", &[4, 5], start..start + 10_000, "complete"));
    assert!(record.timestamp.unwrap() < now() + HOUR, "no broker would have taken it");
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "too_far");
    assert_eq!(letter.json()["id"], "too far");
    // Time is where it was.
    story.send("ahead.lidar", "a", 6, 1).await;
    assert_eq!(story.result().await, fired("a", &[1, 6], 0..10_000, "complete"));
    story.pass(20 * SECOND).await;
    assert_eq!(story.result().await, fired("b", &[2], 0..10_000, "closed"));
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_gather_one_topic_each_by_its_own_key_and_time() {
    #[reactor(
        window! < readings: "shared.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "shared.results",
    )]
    fn by_id(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "shared.brake" by |reading| format!("value {}", reading.value) at time;
                  others: "shared.lidar" by |reading: &Reading| format!("value {}", reading.value) >,
        tumbling = 20s, grace = 0s, idle = never, to = "shared.values",
    )]
    fn by_value(id: Key<String>, readings: Vec<Reading>, others: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings.into_iter().chain(others), window)
    }
    let mut story = Story::begin(&["shared.brake", "shared.lidar"], "shared.results").await;
    let mut values = Tail::at_end(&story.config, "shared.values").await;
    let app = story.start(story.app().reactors(reactors![by_id, by_value])).await;
    story.send("shared.brake", "a", 1, 0).await;
    story.send("shared.brake", "b", 1, 15 * SECOND).await;
    story.send("shared.lidar", "a", 2, 5 * SECOND).await;
    assert_eq!(
        story.finish(LATER).await,
        [fired("a", &[1], 0..10_000, "closed"), fired("b", &[1], 10_000..20_000, "closed")]
    );
    let results = values.take(2).await;
    let results: Vec<Seen> = results.iter().map(|record| story.read(record)).collect();
    let (one, two) =
        (fired("value 1", &[1, 1], 0..20_000, "closed"), fired("value 2", &[2], 0..20_000, "closed"));
    assert!(results == [one.clone(), two.clone()] || results == [two, one], "{results:?}");
    let look = story.look();
    eventually(SOON, || look.is_done("shared.brake")).await;
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_several_windows_skip_is_kept_once_for_each_reason() {
    #[reactor(
        window! < readings: "both.brake" by id at time >,
        tumbling = 10s, grace = 0s, idle = never, to = "both.results",
    )]
    fn by_id(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "both.brake" by |reading: &Reading| Some(reading.value.to_string()).filter(|_| reading.value != 9)
                  at time >,
        tumbling = 10s, grace = 0s, idle = never,
    )]
    fn by_value(readings: Vec<Reading>) {
        drop(readings);
    }
    let mut story = Story::begin(&["both.brake"], "both.results").await;
    story.config = story.config.clone().keep_skipped(true);
    let mut letters = Tail::at_end(&story.config, "both.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![by_id, by_value])).await;
    let base = story.base;
    let values = [
        "{".to_owned(),
        format!(r#"{{"id": null, "value": 9, "time": {base}}}"#),
        // One has no key, the other no time: two reasons.
        r#"{"id": null, "value": 5, "time": -1}"#.to_owned(),
        // Of one alone.
        format!(r#"{{"id": null, "value": 7, "time": {base}}}"#),
    ];
    for value in &values {
        story.raw.send(Record::to("both.brake").value(&**value).partition(0)).await;
    }
    story.send("both.brake", "a", 9, 1).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[9], 0..10_000, "closed")]);
    let look = story.look();
    eventually(SOON, || look.is_done("both.brake")).await;
    let mut kept: Vec<(String, String, String)> = letters
        .take(6)
        .await
        .iter()
        .map(|letter| {
            let text = |header: &str| letter.text(header).to_owned();
            let value = String::from_utf8(letter.value.clone().unwrap()).unwrap();
            (value, text("kafka_dlt-exception-fqcn"), text("kafka_dlt-exception-message"))
        })
        .collect();
    kept.sort();
    let alone = String::from_utf8(story.reading("both.brake", "a", 9, 1).value.unwrap()).unwrap();
    let both = "skipped by `by_id`, `by_value`";
    let mut expected = vec![
        (values[1].clone(), "no_key".to_owned(), both.to_owned()),
        (values[2].clone(), "no_key".to_owned(), "skipped by `by_id`".to_owned()),
        (values[2].clone(), "no_time".to_owned(), "skipped by `by_value`".to_owned()),
        (values[3].clone(), "no_key".to_owned(), "skipped by `by_id`".to_owned()),
        (alone, "no_key".to_owned(), "skipped by `by_value`".to_owned()),
    ];
    expected.sort();
    let undecodable = kept.iter().position(|(value, ..)| value == "{").unwrap();
    let (_, reason, message) = kept.remove(undecodable);
    assert_eq!(reason, "undecodable");
    assert!(message.starts_with(&format!("{both}: ")) && message.len() > both.len() + 5, "{message}");
    assert_eq!(kept, expected);
    assert_eq!(letters.rest(), [], "once each");
    // Each counts for itself.
    let windows = app.windows();
    let skipped = |window: usize, reason| windows[window].topics[0].skipped[&reason];
    assert_eq!((windows[0].name, windows[1].name), ("by_id", "by_value"));
    for window in [0, 1] {
        assert_eq!(skipped(window, Skipped::Undecodable), 1);
    }
    assert_eq!((skipped(0, Skipped::NoKey), skipped(0, Skipped::NoTime)), (3, 0));
    assert_eq!((skipped(1, Skipped::NoKey), skipped(1, Skipped::NoTime)), (2, 1));
    app.shutdown().await.unwrap();
}
