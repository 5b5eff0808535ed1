//! Stopping and going on.

use std::collections::BTreeMap;

use fusion::{Count, Window, prelude::*};

use crate::{
    common::{Record, SOON, Tail, eventually},
    story::{LATER, Reading, SECOND, Seen, Story, fired, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_fires_nothing_and_the_next_goes_on() {
    #[reactor(
        window! < readings: "stopped.brake" | "stopped.lidar" by id >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, to = "stopped.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["stopped.brake", "stopped.lidar"], "stopped.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let look = story.look();
    story.send("stopped.brake", "a", 1, 0).await;
    story.send("stopped.brake", "open", 2, 0).await;
    story.send("stopped.brake", "done", 3, 1).await;
    story.send("stopped.lidar", "done", 4, 1).await;
    assert_eq!(story.result().await, fired("done", &[3, 4], 0..10_000, "complete"));
    app.shutdown().await.unwrap();
    assert!(
        look.is_done("stopped.brake") && look.is_done("stopped.lidar"),
        "it left nothing to be read again"
    );
    // Nobody is there when this comes.
    story.send("stopped.brake", "a", 5, 2).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    eventually(SOON, || look.is_done("stopped.brake")).await;
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("stopped.lidar", "a", 6, 3).await;
    // What was gathered by three, once; and what had fired does so no more, nor does it take anything.
    assert_eq!(story.result().await, fired("a", &[1, 5, 6], 0..10_000, "complete"));
    story.send("stopped.lidar", "done", 7, 4).await;
    assert_eq!(story.finish(LATER).await, [fired("open", &[2], 0..10_000, "closed")]);
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(story.finish(2 * LATER).await, []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_open_closes_by_itself_after_a_restart() {
    #[reactor(
        window! < readings: "resumed.brake" by id >,
        tumbling = 500ms, grace = 0s, idle = 300ms, to = "resumed.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["resumed.brake"], "resumed.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("resumed.brake", "a", 1, 0).await;
    let look = story.look();
    eventually(SOON, || look.is_done("resumed.brake")).await;
    app.shutdown().await.unwrap();
    assert_eq!(story.results.rest(), []);
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..500, "idle"));
    app.shutdown().await.unwrap();
}

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const SOURCES: &[&str] = &["often.brake", "often.lidar", "often.camera"];
const PARTITIONS: i32 = 3;

#[reactor(
    window! < readings: "often.brake" | "often.lidar" | "often.camera" by id >,
    tumbling = 10s, grace = 3s, idle = never, to = "often.results",
)]
fn tumbling(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

#[reactor(
    window! < readings: "often.brake" | "often.lidar" | "often.camera" by id >,
    session = 400ms, longest = 30s, grace = 3s, idle = never, to = "often.sessions",
)]
fn sessions(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

/// Everything comes within `grace`, so that what is expected depends on nobody's order.
#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_restarts_each_window_has_one_result_with_all_its_records() {
    let mut story = Story::over(SOURCES, PARTITIONS, "often.results").await;
    let mut of_sessions = crate::common::Tail::at_end(&story.config, "often.sessions").await;
    let mut dice = Dice(4_711);
    let mut sent: BTreeMap<String, Vec<(i64, u32)>> = BTreeMap::new();
    let mut value = 0;
    for round in 0..4_i64 {
        let app = story.start(story.app().reactors(reactors![tumbling, sessions])).await;
        let mut reports = Vec::new();
        for step in 0..150 {
            let now = round * 15 * SECOND + step * 100;
            for topic in SOURCES {
                let time = (now - dice.roll(2_900) as i64).max(0);
                let id = format!("key {}", dice.roll(12));
                value += 1;
                let partition = dice.roll(PARTITIONS as u64) as i32;
                reports.push(story.raw.queue(&story.reading(topic, &id, value, time).partition(partition)));
                sent.entry(id).or_default().push((time, value));
            }
        }
        for report in reports {
            report.await.unwrap().unwrap();
        }
        app.shutdown().await.unwrap();
    }
    let app = story.start(story.app().reactors(reactors![tumbling, sessions])).await;
    let mut results = story.finish(LATER).await;
    let (mut expected, mut expected_sessions) = (Vec::new(), Vec::new());
    for (id, readings) in &sent {
        let mut windows: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        let mut runs: Vec<Vec<(i64, u32)>> = Vec::new();
        let mut readings = readings.clone();
        readings.sort_unstable();
        for (time, value) in readings {
            windows.entry(time / 10_000 * 10_000).or_default().push(value);
            match runs.last_mut() {
                Some(run) if time - run.last().unwrap().0 <= 400 => run.push((time, value)),
                _ => runs.push(vec![(time, value)]),
            }
        }
        let one = |(start, values): (&i64, &Vec<u32>)| fired(id, values, *start..start + 10_000, "closed");
        expected.extend(windows.iter().map(one));
        for run in runs {
            let values: Vec<u32> = run.iter().map(|(_, value)| *value).collect();
            expected_sessions.push(fired(id, &values, run[0].0..run[run.len() - 1].0, "closed"));
        }
    }
    let plain = |mut results: Vec<Seen>| {
        // Times that are equal are in the order of topic, partition and offset, which is another story.
        results.iter_mut().for_each(|seen| seen.values.sort_unstable());
        results.sort();
        results
    };
    results = plain(results);
    let (expected, expected_sessions) = (plain(expected), plain(expected_sessions));
    assert_eq!(results.len(), expected.len());
    assert_eq!(results, expected);
    assert!(
        expected_sessions.iter().all(|seen| seen.end - seen.start < 30_000),
        "`longest` is another story"
    );
    let mut found = Vec::new();
    let is_ours = |record: &Record| record.key.as_deref().is_some_and(|key| key.starts_with(b"key "));
    while found.len() < expected_sessions.len() {
        let record = of_sessions.one().await;
        if is_ours(&record) {
            found.push(story.read(&record));
        }
    }
    assert_eq!(plain(found), expected_sessions);
    app.shutdown().await.unwrap();
    assert!(!of_sessions.rest().iter().any(is_ours), "some are twice");
}

/// What was committed although nobody was told, is not done again.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_gives_one_result() {
    #[reactor(
        window! < readings: "doubt.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, late = "doubt.late", to = "doubt.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["doubt.brake"], "doubt.results").await;
    let mut late = Tail::at_end(&story.config, "doubt.late").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for round in 0..5 {
        let start = i64::from(round) * 10_000;
        // Once it is the source's that is forgotten, once that of the log, as it happens.
        for offset in 0..3 {
            app.forget_next_outcome();
            story.send("doubt.brake", "a", round * 10 + offset, start).await;
        }
        app.forget_next_outcome();
        story.send("doubt.brake", "clock", 0, start + 10_000).await;
        let values = [round * 10, round * 10 + 1, round * 10 + 2];
        assert_eq!(story.result().await, fired("a", &values, start..start + 10_000, "closed"));
        app.forget_next_outcome();
        story.send("doubt.brake", "late", round, start).await;
        assert_eq!(late.one().await.json()["value"], round);
    }
    let in_doubt = app.metrics().get(Count::TransactionsInDoubt);
    assert!(in_doubt >= 5, "{in_doubt}");
    assert_eq!(story.finish(LATER).await, []);
    assert_eq!(late.rest(), []);
    app.shutdown().await.unwrap();
}
