//! What becomes of what a handler returns.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use fusion::{Backoff, Count, Window, prelude::*};
use serde_json::{Value, json};

use crate::{
    common::{SOON, Tail, eventually},
    story::{LATER, Reading, Seen, Story, fired, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn none_sends_nothing_and_goes_on() {
    #[reactor(
        window! < readings: "none.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "none.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Option<Seen> {
        (*id != "none").then(|| seen(id, readings, window))
    }
    let mut story = Story::begin(&["none.brake"], "none.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("none.brake", "none", 1, 0).await;
    story.send("none.brake", "a", 2, 0).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[2], 0..10_000, "closed")]);
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(story.finish(2 * LATER).await, [], "it is over");
    assert_eq!((app.metrics().get(Count::Failed), app.metrics().get(Count::DeadLetters)), (0, 0));
    app.shutdown().await.unwrap();
}

/// How often a handler ran for its key.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicU32>);

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_costs_its_own_window() {
    #[reactor(
        window! < readings: "broken.brake" | "broken.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, retry = 2, to = "broken.results",
    )]
    async fn gather(
        id: Key<String>,
        readings: Vec<Reading>,
        window: Window,
        runs: State<Runs>,
    ) -> Result<Seen, Failure> {
        match &**id {
            "panic" => panic!("as it is told"),
            "error" => Err(Failure::new("own", "not today").not_retryable()),
            "never" => {
                runs.0.fetch_add(1, SeqCst);
                Err(Failure::new("again", "not yet"))
            }
            // The third run is the last.
            "twice" if runs.0.fetch_add(100, SeqCst) < 200 => Err(Failure::new("again", "not yet")),
            _ => Ok(seen(id, readings, window)),
        }
    }
    let mut story = Story::begin(&["broken.brake", "broken.lidar"], "broken.results").await;
    let quick = Backoff { first: std::time::Duration::from_millis(5), ..Backoff::default() };
    story.config = story.config.clone().backoff(quick);
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let runs = Runs::default();
    let app = story.app().state(runs.clone()).reactors(reactors![gather]);
    let app = story.start(app).await;
    let (partition, one) = story.send("broken.brake", "error", 1, 0).await;
    let (_, two) = story.send("broken.lidar", "error", 2, 5).await;
    for id in ["panic", "twice", "never", "a"] {
        story.send("broken.brake", id, 3, 0).await;
    }
    let mut results = story.finish(LATER).await;
    results.sort();
    assert_eq!(results, [fired("a", &[3], 0..10_000, "closed"), fired("twice", &[3], 0..10_000, "closed")]);
    let mut letters: Vec<_> = letters.take(3).await;
    letters.sort_by(|one, other| one.key.cmp(&other.key));
    let told: Vec<(&[u8], &str, &str)> = letters
        .iter()
        .map(|letter| {
            let key = letter.key.as_deref().unwrap();
            (key, letter.text("kafka_dlt-exception-fqcn"), letter.text("kafka_dlt-exception-message"))
        })
        .collect();
    assert_eq!((told[0].0, told[0].1, told[0].2), (&b"error"[..], "own", "not today"));
    assert_eq!((told[1].0, told[1].1, told[1].2), (&b"never"[..], "again", "not yet"));
    assert_eq!((told[2].0, told[2].1), (&b"panic"[..], "panic"));
    assert!(told[2].2.contains("as it is told"), "{}", told[2].2);
    let expected = json!({
        "window": "gather", "key": "error", "start": story.base, "end": story.base + 10_000, "reason": "closed",
        "count": 2, "records": [["broken.brake", partition, one], ["broken.lidar", partition, two]],
    });
    let mut letter: Value = letters[0].json();
    // In the order of arrival, which over two topics is open.
    letter["records"].as_array_mut().unwrap().sort_by_key(|record| record[0].as_str().unwrap().to_owned());
    assert_eq!(letter, expected);
    assert_eq!(letters[0].text("fusion-window-start"), story.base.to_string());
    assert_eq!(letters[0].timestamp, Some(story.base + 9_999));
    assert_eq!(runs.0.load(SeqCst), 303, "three runs each");
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Failed), metrics.get(Count::DeadLetters)), (3, 3));
    app.shutdown().await.unwrap();
    // They are over, too.
    let app = story.app().state(runs.clone()).reactors(reactors![gather]);
    let app = story.start(app).await;
    assert_eq!(story.finish(2 * LATER).await, []);
    assert_eq!(runs.0.load(SeqCst), 303);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_handler_holds_nobody_up_and_results_are_in_order() {
    #[reactor(
        window! < readings: "slow.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "slow.results",
    )]
    async fn gather(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
        if *id == "slow" {
            gate.0.acquire().await.unwrap().forget();
        } else {
            gate.1.fetch_add(1, SeqCst);
        }
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["slow.brake"], "slow.results").await;
    let gate = Gate(Arc::new(tokio::sync::Semaphore::new(0)), Arc::default());
    let app = story.start(story.app().state(gate.clone()).reactors(reactors![gather])).await;
    story.send("slow.brake", "slow", 1, 0).await;
    // All of them are handled, although the first one waits, and each could be committed if it did not.
    for window in 1..40 {
        story.send("slow.brake", "a", window, i64::from(window) * 10_000).await;
        eventually(SOON, || gate.1.load(SeqCst) + 1 == window).await;
    }
    assert_eq!(story.results.rest(), [], "a result overtook that of an older window");
    gate.0.add_permits(1);
    let results = story.finish(LATER).await;
    let mut expected = vec![fired("slow", &[1], 0..10_000, "closed")];
    expected.extend(
        (1..40).map(|n| fired("a", &[n], i64::from(n) * 10_000..i64::from(n + 1) * 10_000, "closed")),
    );
    assert_eq!(results, expected);
    app.shutdown().await.unwrap();
}

/// Opens for the slow, and counts the others.
#[derive(Clone)]
struct Gate(Arc<tokio::sync::Semaphore>, Arc<AtomicU32>);
