//! The kinds of windows, and what their results say of them.

use fusion::{Window, prelude::*};
use uuid::Uuid;

use crate::{
    common::Record,
    story::{LATER, Reading, SECOND, Seen, Story, fired, seen},
};

/// Start, end and timestamp of a result, as its headers have them.
fn headers(story: &Story, record: &Record) -> (i64, i64, i64) {
    let time = |name| record.text(name).parse::<i64>().unwrap() - story.base;
    (time("fusion-window-start"), time("fusion-window-end"), record.timestamp.unwrap() - story.base)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_says_which_windows_it_is() {
    #[reactor(
        window! < readings: "said.brake" by |reading| reading.value >,
        tumbling = 10s, grace = 0s, idle = never, to = "said.results", name = "said.by.id"
    )]
    fn gather(value: Key<u32>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(Key(value.to_string()), readings, window)
    }
    let mut story = Story::begin(&["said.brake"], "said.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("said.brake", "a", 77, 9_000).await;
    story.send("said.brake", "a", 1, 10_000).await;
    let record = story.record().await;
    assert_eq!(record.key.as_deref(), Some(&b"77"[..]));
    assert_eq!(headers(&story, &record), (0, 10_000, 9_999));
    assert_eq!(record.text("fusion-window-reason"), "closed");
    // What deduplicates reads it, maybe with another version of this: so the very bytes.
    let space = Uuid::parse_str("8f0c1e4a-52d7-5b0e-9a61-3c5d7e240b96").unwrap();
    let mut bytes = Vec::new();
    for part in [story.group.as_bytes(), b"said.by.id", b"77"] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    bytes.extend(story.base.to_be_bytes());
    assert_eq!(record.text("fusion-emit-id"), Uuid::new_v5(&space, &bytes).to_string());
    assert_eq!(
        record.header_names(),
        ["fusion-window-start", "fusion-window-end", "fusion-window-reason", "fusion-emit-id"]
    );
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hopping_windows_overlap() {
    #[reactor(
        window! < readings: "hopping.brake" by id >,
        hopping = 30s, advance = 10s, grace = 0s, idle = never, to = "hopping.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["hopping.brake"], "hopping.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("hopping.brake", "a", 1, 35_000).await;
    story.send("hopping.brake", "a", 2, 40_000).await;
    let records = story.finish_records(LATER).await;
    let results: Vec<Seen> = records.iter().map(|record| story.read(record)).collect();
    let expected = [
        fired("a", &[1], 10_000..40_000, "closed"),
        fired("a", &[1, 2], 20_000..50_000, "closed"),
        fired("a", &[1, 2], 30_000..60_000, "closed"),
        fired("a", &[2], 40_000..70_000, "closed"),
    ];
    assert_eq!(results, expected);
    assert_eq!(headers(&story, &records[0]), (10_000, 40_000, 39_999));
    let mut ids: Vec<&str> = records.iter().map(|record| record.text("fusion-emit-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sliding_windows_are_one_for_each_set_of_records_that_are_near() {
    #[reactor(
        window! < readings: "sliding.brake" by id >,
        sliding = 10s, grace = 0s, idle = never, to = "sliding.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["sliding.brake"], "sliding.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("sliding.brake", "a", 1, 20_000).await;
    story.send("sliding.brake", "a", 2, 26_000).await;
    story.send("sliding.brake", "a", 3, 36_000).await;
    let records = story.finish_records(LATER).await;
    let results: Vec<Seen> = records.iter().map(|record| story.read(record)).collect();
    // Both ends belong to them.
    let expected = [
        fired("a", &[1], 10_000..20_000, "closed"),
        fired("a", &[1, 2], 16_000..26_000, "closed"),
        fired("a", &[2], 20_001..30_001, "closed"),
        fired("a", &[2, 3], 26_000..36_000, "closed"),
        fired("a", &[3], 26_001..36_001, "closed"),
    ];
    assert_eq!(results, expected);
    assert_eq!(headers(&story, &records[1]), (16_000, 26_000, 26_000));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_a_gap_or_with_longest_and_are_joined_by_what_comes_between() {
    #[reactor(
        window! < readings: "session.brake" by id >,
        session = 10s, longest = 40s, grace = 30s, idle = never, to = "session.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["session.brake"], "session.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("session.brake", "a", 1, 5_000).await;
    story.send("session.brake", "a", 2, 25_000).await;
    // Exactly a gap from both.
    story.send("session.brake", "a", 3, 15_000).await;
    story.send("session.brake", "b", 4, 25_001).await;
    story.send("session.brake", "b", 5, 14_999).await;
    let records = story.finish_records(LATER).await;
    let mut results: Vec<Seen> = records.iter().map(|record| story.read(record)).collect();
    results.sort();
    let expected = [
        fired("a", &[1, 3, 2], 5_000..25_000, "closed"),
        fired("b", &[4], 25_001..25_001, "closed"),
        fired("b", &[5], 14_999..14_999, "closed"),
    ];
    assert_eq!(results, expected);
    let a = records.iter().find(|record| record.key.as_deref() == Some(b"a")).unwrap();
    assert_eq!(headers(&story, a), (5_000, 25_000, 25_000));
    // A heartbeat.
    let begin = 2 * LATER;
    for beat in 0..7 {
        story.send("session.brake", "a", beat, begin + i64::from(beat) * 10 * SECOND).await;
    }
    assert_eq!(
        story.finish(3 * LATER).await,
        [
            fired("a", &[0, 1, 2, 3, 4], begin..begin + 40_000, "longest"),
            fired("a", &[5, 6], begin + 50_000..begin + 60_000, "closed")
        ]
    );
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_one_for_each_record_and_none_at_the_close() {
    #[reactor(
        window! < readings: "updates.brake" by id >,
        tumbling = 10s, grace = 0s, emit = updates, idle = never, to = "updates.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "updates.brake" by id >,
        session = 10s, longest = 1h, grace = 1m, emit = updates, idle = never, to = "updates.sessions",
    )]
    fn sessions(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["updates.brake"], "updates.results").await;
    let mut of_sessions = crate::common::Tail::at_end(&story.config, "updates.sessions").await;
    let app = story.start(story.app().reactors(reactors![gather, sessions])).await;
    story.send("updates.brake", "a", 1, 9_000).await;
    story.send("updates.brake", "b", 2, 0).await;
    story.send("updates.brake", "a", 3, 1_000).await;
    story.send("updates.brake", "a", 4, 19_500).await;
    // Between two sessions.
    story.send("updates.brake", "a", 5, 10_500).await;
    let records = story.finish_records(LATER).await;
    let results: Vec<Seen> = records.iter().map(|record| story.read(record)).collect();
    let expected = [
        fired("a", &[1], 0..10_000, "update"),
        fired("b", &[2], 0..10_000, "update"),
        fired("a", &[3, 1], 0..10_000, "update"),
        fired("a", &[4], 10_000..20_000, "update"),
        fired("a", &[5, 4], 10_000..20_000, "update"),
    ];
    assert_eq!(results, expected);
    let ids: std::collections::HashSet<&str> =
        records.iter().map(|record| record.text("fusion-emit-id")).collect();
    assert_eq!(ids.len(), 5, "each is a result of its own");
    assert_eq!(records[0].timestamp, Some(story.base + 9_999));
    let mut results = Vec::new();
    while results.len() < 5 {
        let record = of_sessions.one().await;
        if record.key.as_deref() == Some(b"a") || record.key.as_deref() == Some(b"b") {
            results.push(story.read(&record));
        }
    }
    let expected = [
        fired("a", &[1], 9_000..9_000, "update"),
        fired("b", &[2], 0..0, "update"),
        fired("a", &[3, 1], 1_000..9_000, "update"),
        fired("a", &[4], 19_500..19_500, "update"),
        fired("a", &[3, 1, 5, 4], 1_000..19_500, "update"),
    ];
    assert_eq!(results, expected);
    app.shutdown().await.unwrap();
}
