//! What a copartitioned window remembers beside its offsets.

use std::time::Duration;

use fusion::{Count, Running, Skipped, Window, prelude::*};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
};

use crate::{
    common::{SOON, Tail, eventually, start},
    story::{HOUR, Reading, SECOND, Seen, Story, fired, now, seen},
};

/// How many records of the first topic were skipped, or did not move time.
fn skipped(app: &Running, reason: Skipped) -> u64 {
    app.windows()[0].topics[0].skipped.get(&reason).copied().unwrap_or(0)
}

/// How many windows are open in the first partition.
fn open(app: &Running) -> usize {
    app.windows()[0].partitions.first().map_or(0, |one| one.open)
}

/// The committed offset, and where reading goes on, of the only partition of each topic.
fn logs(app: &Running) -> Vec<(i64, i64)> {
    let windows = app.windows();
    let logs = windows[0].partitions.iter().flat_map(|one| &one.logs);
    logs.map(|log| (log.committed, log.next)).collect()
}

/// Waits for the beginning of a second, and says which.
async fn next_second() -> i64 {
    let second = now() / SECOND;
    eventually(SOON, || now() / SECOND > second).await;
    now() / SECOND * SECOND
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_does_not_judge_again_what_is_read_again() {
    #[reactor(
        window! < readings: "again.brake" by id at time >,
        tumbling = 1s, grace = 0s, idle = never, max_future = 2s, copartitioned, to = "again.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    const DAY: i64 = 24 * HOUR;
    let mut story = Story::begin(&["again.brake"], "again.results").await;
    let mut letters = Tail::at_end(&story.config, "again.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let begin = next_second().await;
    story.base = begin;
    let event = |id: &str, value, time| story.reading("again.brake", id, value, time).timestamp(begin);
    story.raw.send(event("a", 1, 0)).await;
    // Ahead, and too far ahead: by less than will have gone by.
    story.raw.send(event("ahead", 2, 4 * SECOND)).await;
    story.raw.send(event("too far", 3, DAY + 4 * SECOND)).await;
    assert_eq!(letters.one().await.text("kafka_dlt-exception-fqcn"), "too_far");
    assert_eq!((skipped(&app, Skipped::Ahead), skipped(&app, Skipped::TooFar), open(&app)), (1, 1, 2));
    app.shutdown().await.unwrap();
    // Now they are not ahead any more.
    eventually(SOON, || now() > begin + 3 * SECOND).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    eventually(SOON, || open(&app) == 2).await;
    story.send("again.brake", "b", 4, 2 * SECOND).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..1_000, "closed"));
    app.drain().await.unwrap();
    assert_eq!(story.result().await, fired("b", &[4], 2_000..3_000, "drained"));
    assert_eq!(story.result().await, fired("ahead", &[2], 4_000..5_000, "drained"));
    app.shutdown().await.unwrap();
    assert_eq!((story.results.rest(), letters.rest()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closes_without_a_result_is_committed_too() {
    #[reactor(
        window! < readings: "quietly.brake" | "quietly.lidar" by id >,
        tumbling = 1s, grace = 0s, complete = all, idle = 300ms, copartitioned, to = "quietly.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["quietly.brake", "quietly.lidar"], "quietly.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("quietly.brake", "a", 1, 0).await;
    story.send("quietly.lidar", "a", 2, 1).await;
    assert_eq!(story.result().await, fired("a", &[1, 2], 0..1_000, "complete"));
    eventually(SOON, || open(&app) == 0).await;
    let time = app.windows()[0].partitions[0].time;
    let is_done = || logs(&app).iter().all(|(committed, next)| *next > 0 && committed == next);
    eventually(SOON, is_done).await;
    let look = story.look();
    eventually(SOON, || look.is_done("quietly.brake") && look.is_done("quietly.lidar")).await;
    app.shutdown().await.unwrap();
    // And when it was is known to the next.
    let app = story.start(story.app().reactors(reactors![gather])).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.time >= time)).await;
    assert!(time >= Some(story.base + 1_000), "{time:?}");
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_partition_remembers_does_not_count() {
    #[reactor(
        window! < readings: "foreign.brake" | "foreign.lidar" by id >,
        tumbling = 10s, grace = 10s, idle = never, copartitioned, to = "foreign.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["foreign.brake", "foreign.lidar"], "foreign.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for (topic, id, value, time) in [
        ("foreign.brake", "open", 1, 12_000),
        ("foreign.brake", "closed", 2, 5_000),
        ("foreign.lidar", "closed", 3, 5_000),
        ("foreign.lidar", "open", 4, 12_000),
    ] {
        story.send(topic, id, value, time).await;
    }
    story.pass(21_000).await;
    assert_eq!(story.result().await, fired("closed", &[2, 3], 0..10_000, "closed"));
    app.shutdown().await.unwrap();
    // As a tool would: the offset that is there, and nothing beside it.
    let committed = story.look().committed("foreign.lidar")[0].unwrap();
    let client: BaseConsumer = story.config.group_consumer(&story.group).unwrap().create().unwrap();
    client.subscribe(&["foreign.lidar"]).unwrap();
    // Only members may commit on the embedded broker.
    eventually(SOON, || {
        drop(client.poll(Duration::ZERO));
        client.assignment().unwrap().count() == 1
    })
    .await;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("foreign.lidar", 0, Offset::Offset(committed)).unwrap();
    client.commit(&list, CommitMode::Sync).unwrap();
    drop(client);
    let app = start(story.app().reactors(reactors![gather])).await;
    // What the first partition remembers would keep it from being sent again.
    assert_eq!(story.result().await, fired("closed", &[2], 0..10_000, "closed"));
    assert_eq!(app.metrics().get(Count::MetadataRefused), 1);
    story.pass(31_000).await;
    assert_eq!(story.result().await, fired("open", &[1, 4], 10_000..20_000, "closed"));
    app.shutdown().await.unwrap();
    // From now on it is remembered as ever.
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("foreign.brake", "last", 5, 31_000).await;
    assert_eq!(story.finish(crate::story::LATER).await, [fired("last", &[5], 30_000..40_000, "closed")]);
    assert_eq!(app.metrics().get(Count::MetadataRefused), 0);
    app.shutdown().await.unwrap();
}
