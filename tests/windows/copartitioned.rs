//! Windows whose sources are keyed by the window's key already.

use std::{collections::BTreeMap, time::Duration};

use fusion::{Count, GroupProtocol, Window, prelude::*};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::{
    common::{Record, SOON, Tail, create, eventually, on_real, patiently},
    story::{HOUR, LATER, Reading, SECOND, Seen, Story, fired, now, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_gathers_completes_and_refuses_as_others_do() {
    #[reactor(
        window! < readings: "co.brake" | "co.lidar" by id at time >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, copartitioned, late = "co.late", to = "co.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["co.brake", "co.lidar"], "co.results").await;
    story.config = story.config.clone().keep_skipped(true);
    let mut late = Tail::at_end(&story.config, "co.late").await;
    let mut letters = Tail::at_end(&story.config, "co.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("co.brake", "a", 1, 5).await;
    story.send("co.lidar", "a", 2, 1).await;
    let record = story.record().await;
    assert_eq!(story.read(&record), fired("a", &[2, 1], 0..10_000, "complete"));
    assert_eq!(record.text("fusion-window-reason"), "complete");
    assert_eq!(record.timestamp, Some(story.base + 9_999));
    story.send("co.lidar", "a", 3, 2).await;
    let sent = late.one().await;
    assert_eq!((sent.text("fusion-late-reason"), &sent.json()["value"]), ("already_fired", &3.into()));
    // Not decodable, without a key, and too far.
    story.raw.send(Record::to("co.brake").value("{").partition(0).timestamp(story.base + HOUR)).await;
    let null = format!(r#"{{"id": null, "value": 4, "time": {}}}"#, story.base);
    story.raw.send(Record::to("co.brake").value(null).partition(0).timestamp(story.base + HOUR)).await;
    let too_far = story.reading("co.brake", "a", 5, now() + 30 * HOUR - story.base);
    story.raw.send(too_far.timestamp(story.base)).await;
    let letters = letters.take(3).await;
    let mut reasons: Vec<&str> =
        letters.iter().map(|letter| letter.text("kafka_dlt-exception-fqcn")).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["no_key", "too_far", "undecodable"]);
    story.send("co.brake", "b", 6, 6).await;
    assert_eq!(story.finish(LATER).await, [fired("b", &[6], 0..10_000, "closed")]);
    let record = story.reading("co.lidar", "c", 7, 0).header("own", "header");
    let (partition, offset) = story.raw.send(record.clone()).await;
    let sent = late.one().await;
    assert_eq!((&sent.key, &sent.value, sent.timestamp), (&record.key, &record.value, record.timestamp));
    assert_eq!(sent.headers[..1], record.headers);
    assert_eq!(sent.text("fusion-late-reason"), "closed");
    assert_eq!(sent.text("kafka_dlt-original-topic"), "co.lidar");
    assert_eq!(sent.get("kafka_dlt-original-partition"), partition.to_be_bytes());
    assert_eq!(sent.get("kafka_dlt-original-offset"), offset.to_be_bytes());
    app.shutdown().await.unwrap();
    let log = story.log("gather");
    assert_eq!(story.look().topics(&log), Vec::<String>::new(), "it has no log");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_copartitioned_window_closes_by_itself() {
    #[reactor(
        window! < readings: "co.last.brake" | "co.last.lidar" by id >,
        hopping = 2s, advance = 1s, grace = 0s, idle = 500ms, copartitioned, to = "co.last.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["co.last.brake", "co.last.lidar"], "co.last.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("co.last.brake", "a", 1, 1_900).await;
    let before = std::time::Instant::now();
    story.send("co.last.lidar", "a", 2, 1_900).await;
    let sent = std::time::Instant::now();
    assert_eq!(story.result().await, fired("a", &[1, 2], 0..2_000, "idle"));
    let (least, most) = (before.elapsed().as_millis(), sent.elapsed().as_millis());
    assert!((500..).contains(&least) && (..1_500).contains(&most), "{least} to {most} ms, not 500");
    assert_eq!(story.result().await, fired("a", &[1, 2], 1_000..3_000, "idle"));
    let (least, most) = (before.elapsed().as_millis(), sent.elapsed().as_millis());
    assert!((1_100..).contains(&least) && (..2_100).contains(&most), "{least} to {most} ms, not 1100");
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_again_what_is_open_and_sends_nothing_twice() {
    #[reactor(
        window! < readings: "co.again.brake" | "co.again.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned, late = "co.again.late", to = "co.again.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["co.again.brake", "co.again.lidar"], "co.again.results").await;
    let mut late = Tail::at_end(&story.config, "co.again.late").await;
    let look = story.look();
    let mut expected = Vec::new();
    let mut refused = 0;
    let mut results = Vec::new();
    for round in 0..3_i64 {
        let app = story.start(story.app().reactors(reactors![gather])).await;
        let begin = round * 10 * SECOND;
        // Half of it in this window, half in the next round's.
        for (topic, value) in [("co.again.brake", 1), ("co.again.lidar", 2)] {
            story.send(topic, "a", value, begin + i64::from(value)).await;
        }
        if round > 0 {
            // All that this one has is in it: the last round's part was read again.
            results.push(story.result().await);
            story.send("co.again.brake", "late", 9, begin - 1).await;
            let sent = late.one().await;
            assert_eq!(sent.text("fusion-late-reason"), "closed");
            refused += 1;
        } else {
            eventually(SOON, || look.committed("co.again.brake")[0].is_some()).await;
        }
        expected.push(fired("a", &[1, 2], begin..begin + 10_000, "closed"));
        app.shutdown().await.unwrap();
    }
    let app = story.start(story.app().reactors(reactors![gather])).await;
    results.extend(story.finish(LATER).await);
    assert_eq!(results, expected);
    assert_eq!((late.rest(), refused), (vec![], 2));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_ahead_is_read_again_before_the_others_go_on() {
    #[reactor(
        window! < readings: "co.far.brake" | "co.far.lidar" by id >,
        tumbling = 10s, grace = 0s, emit = updates, idle = never, copartitioned, to = "co.far.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["co.far.brake", "co.far.lidar"], "co.far.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("co.far.lidar", "a", 1, 1).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..10_000, "update"));
    // Two at once: behind the second one it waits for the slower topic.
    let far = [story.reading("co.far.brake", "a", 2, 2), story.reading("co.far.brake", "a", 3, 50_000)];
    for report in far.map(|record| story.raw.queue(&record)) {
        report.await.unwrap().unwrap();
    }
    assert_eq!(story.result().await, fired("a", &[1, 2], 0..10_000, "update"));
    assert_eq!(story.result().await, fired("a", &[3], 50_000..60_000, "update"));
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("co.far.lidar", "a", 4, 3).await;
    assert_eq!(story.result().await, fired("a", &[1, 2, 4], 0..10_000, "update"));
    app.shutdown().await.unwrap();
}

const SOURCES: &[&str] = &["co.many.brake", "co.many.lidar"];

#[reactor(
    window! < readings: "co.many.brake" | "co.many.lidar" by id >,
    hopping = 10s, advance = 5s, grace = 2s, idle = never, copartitioned, to = "co.many.results",
)]
fn many(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_restarts_no_copartitioned_result_is_lost_or_doubled() {
    let mut story = Story::begin(SOURCES, "co.many.results").await;
    let mut expected: BTreeMap<(i64, String), Vec<u32>> = BTreeMap::new();
    let mut value = 0;
    for round in 0..3_i64 {
        let app = story.start(story.app().reactors(reactors![many])).await;
        let mut reports = Vec::new();
        for step in 0..100_i64 {
            for (place, topic) in (0..).zip(SOURCES) {
                let time = (round * 10 * SECOND + step * 100 - (step * 7 + place * 13) % 17 * 100).max(0);
                let id = format!("key {}", (step * 5 + place) % 9);
                value += 1;
                reports.push(story.raw.queue(&story.reading(topic, &id, value, time)));
                for start in [time / 5_000 * 5_000 - 5_000, time / 5_000 * 5_000] {
                    // There are no windows before 1970, but ten days ago there are.
                    expected.entry((start, id.clone())).or_default().push(value);
                }
            }
        }
        for report in reports {
            report.await.unwrap().unwrap();
        }
        app.shutdown().await.unwrap();
    }
    let app = story.start(story.app().reactors(reactors![many])).await;
    let mut found = BTreeMap::new();
    for mut seen in story.finish(LATER).await {
        seen.values.sort_unstable();
        let before = found.insert((seen.start, seen.id), seen.values);
        assert_eq!(before, None, "twice");
    }
    assert_eq!(found, expected);
    app.shutdown().await.unwrap();
}

/// Whoever stops waits for all partitions to end, each of which says so once.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_over_at_once() {
    #[reactor(
        window! < readings: "co.stop.brake" | "co.stop.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned, to = "co.stop.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["co.stop.brake", "co.stop.lidar"], "co.stop.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("co.stop.brake", "a", 1, 0).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    let began = std::time::Instant::now();
    app.shutdown().await.unwrap();
    // `stop_limit` is 30 s.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Where all threads of the runtime are busy, partitions come and go before anybody begins with them. The embedded broker
/// has no second member join a group of this protocol.
#[tokio::test]
async fn partitions_that_come_back_before_anybody_began_with_them_are_gathered() {
    #[reactor(
        window! < readings: "co.back.brake" | "co.back.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned, to = "co.back.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    if !on_real() {
        return;
    }
    let mut story = Story::begin(&["co.back.brake", "co.back.lidar"], "co.back.results").await;
    story.config = story.config.clone().group_protocol(GroupProtocol::Classic).revoke_limit(Duration::ZERO);
    create(&story.config, &["co.back.other"], 1).await;
    let app = story.app().reactors(reactors![gather]).start().await.unwrap();
    // The runtime has one thread, and from here on this test keeps it to itself.
    let assigned = |most: u64| {
        let now = app.metrics().get(Count::Assigned);
        if now >= most { Ok(()) } else { Err(format!("{now} of {most} were assigned")) }
    };
    patiently(|| assigned(2));
    // Whoever joins, all members give back what they have, and get it again.
    let other: BaseConsumer = story.config.group_consumer(&story.group).unwrap().create().unwrap();
    other.subscribe(&["co.back.other"]).unwrap();
    patiently(|| {
        drop(other.poll(Duration::ZERO));
        assigned(4)
    });
    drop(other);
    story.send("co.back.brake", "a", 1, 0).await;
    story.send("co.back.lidar", "a", 2, 0).await;
    story.pass(LATER).await;
    tokio::select! {
        error = app.failed() => panic!("{error}"),
        result = story.result() => assert_eq!(result, fired("a", &[1, 2], 0..10_000, "closed")),
    }
    app.shutdown().await.unwrap();
}
