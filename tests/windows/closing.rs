//! When windows close.

use std::time::{Duration, Instant};

use fusion::{Window, prelude::*};

use crate::{
    common::{Tail, within},
    story::{LATER, Reading, SECOND, Seen, Story, fired, now, seen},
};

/// What comes on top of the rule: two transactions, and the ways of the records.
const SLACK: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_last_window_closes_by_itself_when_all_are_silent() {
    #[reactor(
        window! < readings: "closing.brake" | "closing.lidar" by id >,
        tumbling = 1s, grace = 0s, idle = 500ms, to = "closing.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::over(&["closing.brake", "closing.lidar"], 2, "closing.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for round in 0..3 {
        let begin = round * 10 * SECOND;
        let reading = story.reading("closing.brake", "a", 1, begin + 950).partition(1);
        story.raw.send(reading).await;
        let before = Instant::now();
        // Its window would close 100 ms later: what takes longer is the silence.
        story.send("closing.lidar", "a", 2, begin + 900).await;
        let sent = Instant::now();
        let result = story.result().await;
        let (least, most) = (before.elapsed(), sent.elapsed());
        // The order is that of time.
        assert_eq!(result, fired("a", &[2, 1], begin..begin + SECOND, "idle"));
        assert!(least >= Duration::from_millis(500), "{least:?}");
        assert!(most < Duration::from_millis(500) + SLACK, "{most:?}");
    }
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_goes_on_for_windows_that_would_close_later() {
    #[reactor(
        window! < readings: "clock.brake" | "clock.lidar" by id >,
        tumbling = 1s, grace = 100ms, idle = 300ms, to = "clock.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["clock.brake", "clock.lidar"], "clock.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("clock.lidar", "a", 2, 100).await;
    let before = Instant::now();
    story.send("clock.brake", "a", 1, 200).await;
    let sent = Instant::now();
    let result = story.result().await;
    let (least, most) = (before.elapsed(), sent.elapsed());
    assert_eq!(result, fired("a", &[2, 1], 0..1_000, "idle"));
    // 1.1 s - 0.2 s.
    assert!(least >= Duration::from_millis(900), "{least:?}");
    assert!(most < Duration::from_millis(900) + SLACK, "{most:?}");
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_topic_holds_time_until_it_is_idle() {
    #[reactor(
        window! < readings: "silent.brake" | "silent.lidar" by id >,
        tumbling = 1s, grace = 0s, idle = 1500ms, to = "silent.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["silent.brake", "silent.lidar"], "silent.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let before = Instant::now();
    story.send("silent.lidar", "a", 1, 100).await;
    let sent = Instant::now();
    story.send("silent.brake", "a", 2, 200).await;
    // One goes on, so they are not all silent, and time is what it says: a minute in a second and a half.
    let (raw, base) = (story.raw.clone(), story.reading("silent.brake", "clock", 0, 0));
    let going = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        for step in 1.. {
            pace.tick().await;
            let time = base.timestamp.unwrap() + step * 4 * SECOND;
            raw.send(base.clone().timestamp(time)).await;
        }
    });
    let result = story.result().await;
    let (least, most) = (before.elapsed(), sent.elapsed());
    assert_eq!(result, fired("a", &[1, 2], 0..1_000, "closed"));
    assert!(least >= Duration::from_millis(1_500), "{least:?}");
    assert!(most < Duration::from_millis(1_500) + SLACK, "{most:?}");
    going.abort();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_idleness_only_records_close() {
    #[reactor(
        window! < readings: "never.brake" by id >,
        tumbling = 1s, grace = 0s, idle = never, to = "never.results",
    )]
    fn never(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "never.brake" by id >,
        tumbling = 200ms, grace = 0s, idle = 200ms, to = "never.others",
    )]
    fn sometimes(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["never.brake"], "never.results").await;
    let mut others = Tail::at_end(&story.config, "never.others").await;
    let app = story.start(story.app().reactors(reactors![never, sometimes])).await;
    story.send("never.brake", "a", 1, 0).await;
    // The other one shows that it was silent for long enough; and while that one waits for its next, so does this.
    others.one().await;
    story.send("never.brake", "a", 2, 150).await;
    story.send("never.brake", "a", 3, 5_200).await;
    assert_eq!(story.result().await, fired("a", &[1, 2], 0..1_000, "closed"));
    let other = others.one().await;
    assert_eq!(story.read(&other), fired("a", &[3], 5_200..5_400, "idle"), "the second came too late there");
    assert_eq!(story.finish(LATER).await, [fired("a", &[3], 5_000..6_000, "closed")]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn grace_is_for_those_that_come_late() {
    #[reactor(
        window! < readings: "grace.brake" by id >,
        tumbling = 10s, grace = 5s, idle = never, to = "grace.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["grace.brake"], "grace.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("grace.brake", "a", 1, 9_999).await;
    story.send("grace.brake", "b", 2, 14_999).await;
    story.send("grace.brake", "a", 3, 0).await;
    story.send("grace.brake", "b", 4, 15_000).await;
    assert_eq!(story.result().await, fired("a", &[3, 1], 0..10_000, "closed"));
    story.send("grace.brake", "a", 5, 0).await;
    assert_eq!(story.finish(LATER).await, [fired("b", &[2, 4], 10_000..20_000, "closed")]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_key_closes_with_its_partition() {
    #[reactor(
        window! < readings: "quiet.brake" | "quiet.lidar" by id >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, to = "quiet.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["quiet.brake", "quiet.lidar"], "quiet.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("quiet.brake", "quiet", 1, 0).await;
    story.send("quiet.brake", "a", 2, 1_000).await;
    story.send("quiet.lidar", "a", 3, 500).await;
    // Complete: it need not wait for its end, and it is over with that.
    assert_eq!(story.result().await, fired("a", &[3, 2], 0..10_000, "complete"));
    story.send("quiet.lidar", "a", 4, 9_000).await;
    story.send("quiet.brake", "a", 5, 9_000).await;
    assert_eq!(story.finish(LATER).await, [fired("quiet", &[1], 0..10_000, "closed")]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_of_now_is_on_time() {
    #[reactor(
        window! < readings: "fleet.brake" | "fleet.lidar" | "fleet.camera" | "fleet.radar" by id at time >,
        tumbling = 1s, grace = 300ms, complete = all, idle = 500ms, to = "fleet.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    const SOURCES: &[&str] = &["fleet.brake", "fleet.lidar", "fleet.camera", "fleet.radar"];
    let mut story = Story::over(SOURCES, 3, "fleet.results").await;
    story.base = 0;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let begin = now() / SECOND * SECOND;
    // 90 of 100 speak in all topics, the others in three.
    for (number, topic) in (0_u32..).zip(SOURCES) {
        for id in (0..100).filter(|id| number < 3 || id % 10 > 0) {
            let reading = story.reading(topic, &format!("car {id}"), number, begin + 10 * i64::from(id));
            drop(story.raw.queue(&reading.partition(id % 3)));
        }
    }
    let mut results = Vec::new();
    for _ in 0..100 {
        results.push(within(Duration::from_secs(10), story.result()).await);
    }
    let complete = results.iter().filter(|seen| seen.reason == "complete" && seen.count == 4).count();
    let idle = results.iter().filter(|seen| seen.reason == "idle" && seen.count == 3).count();
    assert_eq!((complete, idle), (90, 10), "{results:?}");
    app.shutdown().await.unwrap();
}
