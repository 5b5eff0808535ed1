//! Logs that lose records before a window has read them. The embedded broker keeps five mebibytes of a partition; on a real
//! one, they are deleted.

use std::sync::Arc;

use fusion::{Config, Count, EmbeddedKafka, Error, OnGap, Running, Window, prelude::*};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    common::{Record, SOON, eventually, on_real, within},
    story::{HOUR, LATER, Reading, SECOND, Seen, Story, fired, seen},
};

/// Little is read ahead.
fn frugal(config: &Config) -> Config {
    config.clone().in_flight(10).fetch_buffer(100 * 1024)
}

/// How many records of [`flood`] a partition cannot keep.
const MANY: usize = 3 * EmbeddedKafka::RETENTION_BYTES / PAD;
const PAD: usize = 50_000;

/// Writes so much that a partition does not keep it, with these event times.
fn flood(story: &Story, topic: &str, time: i64) {
    let pad = "x".repeat(PAD);
    for _ in 0..MANY {
        let value = json!({"id": "flood", "value": 3, "time": story.base + time, "pad": pad}).to_string();
        drop(story.raw.queue(&Record::to(topic).partition(0).key("flood").value(value)));
    }
}

/// Only the last records are left.
async fn lose(story: &Story, topic: &str) {
    if on_real() {
        let look = story.look();
        look.delete_below(topic, 0, look.ends(topic)[0] - 20).await;
    }
}

/// One source runs an hour ahead of the other, and waits for it. Meanwhile it loses what was not read.
async fn overtaken(story: &mut Story, [ahead, behind]: [&'static str; 2]) {
    story.send(behind, "a", 1, 0).await;
    story.send(ahead, "a", 2, 0).await;
    flood(story, ahead, HOUR);
    story.send(ahead, "last", 4, HOUR + SECOND).await;
    lose(story, ahead).await;
    story.send(behind, "b", 5, HOUR).await;
}

/// It goes on with what is left.
async fn goes_on(story: &mut Story, app: Running, sources: [&'static str; 2]) {
    let values = if sources[0].ends_with("brake") { [2, 1] } else { [1, 2] };
    assert_eq!(story.result().await, fired("a", &values, 0..1_000, "closed"));
    // Only with what was ahead behind the gap, does time go on.
    story.pass(2 * HOUR).await;
    let mut results = vec![story.result().await, story.result().await, story.result().await];
    results.sort();
    let [b, flood, last] = &results[..] else { panic!("{results:?}") };
    assert_eq!(*b, fired("b", &[5], HOUR..HOUR + 1_000, "closed"));
    assert_eq!((&*flood.id, flood.start), ("flood", HOUR));
    assert!(flood.values.len() < MANY, "{} of {MANY}", flood.values.len());
    assert_eq!(*last, fired("last", &[4], HOUR + 1_000..HOUR + 2_000, "closed"));
    assert_eq!(app.metrics().get(Count::Gaps), 1);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_overtaken_goes_on_with_what_is_left_if_that_is_wanted() {
    #[reactor(
        window! < readings: "gap.brake" | "gap.lidar" by id at time >,
        tumbling = 1s, grace = 0s, idle = never, to = "gap.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["gap.brake", "gap.lidar"], "gap.results").await;
    story.config = frugal(&story.config).on_gap(OnGap::Partial);
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let sources = ["gap.brake", "gap.lidar"];
    overtaken(&mut story, sources).await;
    goes_on(&mut story, app, sources).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copartitioned_source_that_is_overtaken_goes_on_with_what_is_left() {
    #[reactor(
        window! < readings: "co.gap.brake" | "co.gap.lidar" by id at time >,
        tumbling = 1s, grace = 0s, idle = never, copartitioned, to = "co.gap.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["co.gap.brake", "co.gap.lidar"], "co.gap.results").await;
    story.config = frugal(&story.config).on_gap(OnGap::Partial);
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let sources = ["co.gap.lidar", "co.gap.brake"];
    overtaken(&mut story, sources).await;
    goes_on(&mut story, app, sources).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_overtaken_ends_the_app_unless_told_otherwise() {
    #[reactor(
        window! < readings: "gap.fail.brake" | "gap.fail.lidar" by id at time >,
        tumbling = 1s, grace = 0s, idle = never, to = "gap.fail.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["gap.fail.brake", "gap.fail.lidar"], "gap.fail.results").await;
    story.config = frugal(&story.config);
    let app = story.start(story.app().reactors(reactors![gather])).await;
    overtaken(&mut story, ["gap.fail.brake", "gap.fail.lidar"]).await;
    let failed = within(SOON, app.failed()).await;
    let Error::Gap { topic, partition, offset, start, end } = &*failed else { panic!("{failed}") };
    assert_eq!((&**topic, *partition), ("gap.fail.brake", 0));
    assert!((2..*start).contains(offset) && start < end, "{failed}");
    assert!(failed.to_string().contains("on_gap"), "{failed}");
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_overtaken_goes_on_with_what_is_left() {
    #[reactor(
        window! < readings: "gap.log.brake" by id at time >,
        tumbling = 1s, grace = 0s, idle = never, to = "gap.log.results",
    )]
    async fn gather(
        id: Key<String>,
        readings: Vec<Reading>,
        window: Window,
        gate: State<Arc<Semaphore>>,
    ) -> Seen {
        gate.acquire().await.unwrap().forget();
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["gap.log.brake"], "gap.log.results").await;
    story.config = frugal(&story.config).on_gap(OnGap::Partial);
    let gate = Arc::new(Semaphore::new(0));
    let app = story.start(story.app().state(gate.clone()).reactors(reactors![gather])).await;
    // As many windows as may be at work, and more.
    for key in 0..600 {
        drop(story.raw.queue(&story.reading("gap.log.brake", &key.to_string(), 1, 0)));
    }
    story.send("gap.log.brake", "a", 2, SECOND).await;
    let look = story.look();
    let pad = "x".repeat(PAD);
    for _ in 0..10 {
        for _ in 0..MANY / 10 {
            let value = json!({"id": "flood", "value": 3, "time": story.base + HOUR, "pad": pad}).to_string();
            drop(story.raw.queue(&Record::to("gap.log.brake").partition(0).key("flood").value(value)));
        }
        // The source itself is not overtaken.
        eventually(SOON, || look.is_done("gap.log.brake")).await;
    }
    assert_eq!(app.metrics().get(Count::Gaps), 0);
    lose(&story, &story.log("gather")).await;
    gate.add_permits(10_000);
    let rest = story.finish(LATER).await;
    let flood = rest.iter().find(|seen| seen.id == "flood").unwrap();
    assert!(flood.values.len() < MANY && flood.start == HOUR, "{} of {MANY}", flood.values.len());
    assert_eq!(app.metrics().get(Count::Gaps), 1);
    app.shutdown().await.unwrap();
}
