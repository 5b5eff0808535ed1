//! Records that come when every window of theirs is over.

use fusion::{Window, prelude::*};

use crate::{
    common::Tail,
    story::{LATER, Reading, SECOND, Seen, Story, fired, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_late_record_is_sent_on_once_as_it_came() {
    #[reactor(
        window! < readings: "late.brake" by id >,
        tumbling = 10s, grace = 1s, idle = never, late = "late.late", to = "late.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["late.brake"], "late.results").await;
    let mut late = Tail::at_end(&story.config, "late.late").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("late.brake", "a", 1, 0).await;
    story.send("late.brake", "b", 2, 11 * SECOND).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..10_000, "closed"));
    // Without a window so far, but that makes it no better.
    let record = story.reading("late.brake", "c", 3, 9_999).key([0xfe, 0x01]);
    let value = String::from_utf8(record.value.clone().unwrap()).unwrap().replace(':', ": ");
    let record = record.value(value).header("own", [0xc3, 0x28]).null_header("null").header("own", "2");
    let (partition, offset) = story.raw.send(record.clone()).await;
    let sent = late.one().await;
    assert_eq!((&sent.value, sent.timestamp), (&record.value, record.timestamp));
    assert_eq!(sent.headers[..3], record.headers);
    assert_eq!(sent.text("kafka_dlt-original-topic"), "late.brake");
    assert_eq!(sent.get("kafka_dlt-original-partition"), partition.to_be_bytes());
    assert_eq!(sent.get("kafka_dlt-original-offset"), offset.to_be_bytes());
    assert_eq!(sent.get("kafka_dlt-original-timestamp"), (story.base + 9_999).to_be_bytes());
    assert_eq!(sent.text("kafka_dlt-original-consumer-group"), story.group);
    assert_eq!(sent.text("fusion-late-reason"), "closed");
    assert!(!sent.has("fusion-source"), "nobody else needs to know: {:?}", sent.header_names());
    assert_eq!(sent.key, record.key, "the key is that of its source");
    assert_eq!(story.finish(LATER).await, [fired("b", &[2], 10_000..20_000, "closed")]);
    assert_eq!(late.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_a_complete_window_fired_is_late_and_what_one_of_several_takes_is_not() {
    #[reactor(
        window! < readings: "fired.brake" | "fired.lidar" by id >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, late = "fired.late", to = "fired.results",
    )]
    fn once(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "fired.brake" | "fired.lidar" by id >,
        hopping = 20s, advance = 10s, grace = 0s, idle = never, late = "fired.others", to = "fired.hopping",
    )]
    fn hopping(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["fired.brake", "fired.lidar"], "fired.results").await;
    let mut late = Tail::at_end(&story.config, "fired.late").await;
    let mut others = Tail::at_end(&story.config, "fired.others").await;
    let mut of_hopping = Tail::at_end(&story.config, "fired.hopping").await;
    let app = story.start(story.app().reactors(reactors![once, hopping])).await;
    story.send("fired.brake", "a", 1, 10_000).await;
    story.send("fired.lidar", "a", 2, 10_001).await;
    assert_eq!(story.result().await, fired("a", &[1, 2], 10_000..20_000, "complete"));
    story.send("fired.brake", "a", 3, 10_002).await;
    let sent = late.one().await;
    assert_eq!((sent.text("fusion-late-reason"), &sent.json()["value"]), ("already_fired", &3.into()));
    // Of its two windows one has closed.
    story.send("fired.lidar", "one", 0, 19_000).await;
    story.pass(20_000).await;
    assert_eq!(story.result().await, fired("one", &[0], 10_000..20_000, "closed"));
    story.send("fired.brake", "b", 4, 15_000).await;
    let sent = late.one().await;
    assert_eq!((sent.text("fusion-late-reason"), &sent.json()["value"]), ("closed", &4.into()));
    story.send("fired.lidar", "two", 0, 29_000).await;
    story.pass(30_000).await;
    assert_eq!(story.result().await, fired("two", &[0], 20_000..30_000, "closed"));
    let mut closed = of_hopping.one().await;
    while story.read(&closed) != fired("two", &[0], 10_000..30_000, "closed") {
        closed = of_hopping.one().await;
    }
    story.send("fired.brake", "c", 5, 19_999).await;
    assert_eq!(late.one().await.json()["value"], 5);
    let sent = others.one().await;
    assert_eq!((sent.text("fusion-late-reason"), &sent.json()["value"]), ("closed", &5.into()));
    assert_eq!(story.finish(LATER).await, []);
    assert_eq!((late.rest(), others.rest()), (vec![], vec![]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_repeats_no_late_record_and_makes_none_timely() {
    #[reactor(
        window! < readings: "anew.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, late = "anew.late", to = "anew.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["anew.brake"], "anew.results").await;
    let mut late = Tail::at_end(&story.config, "anew.late").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    // What stays open keeps the log from here on.
    story.send("anew.brake", "a", 0, 0).await;
    story.send("anew.brake", "open", 0, 30_000 - 1).await;
    assert_eq!(story.result().await, fired("a", &[0], 0..10_000, "closed"));
    story.send("anew.brake", "a", 1, 0).await;
    assert_eq!(late.one().await.json()["value"], 1);
    app.shutdown().await.unwrap();
    for round in 0..3 {
        let app = story.start(story.app().reactors(reactors![gather])).await;
        story.send("anew.brake", "a", 2 + round, 1).await;
        assert_eq!(late.one().await.json()["value"], 2 + round, "the only one");
        app.shutdown().await.unwrap();
    }
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(story.finish(LATER).await, [fired("open", &[0], 20_000..30_000, "closed")]);
    assert_eq!(late.rest(), []);
    app.shutdown().await.unwrap();
}
