//! Results after each record: the runs of a key follow each other.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fusion::{Backoff, Window, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    common::{SOON, eventually},
    story::{Reading, Seen, Story, fired, seen},
};

/// Lets the runs of one key go on, and tells which have begun: key, number of records, attempt.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    begun: Arc<Mutex<Vec<(String, u64, u32)>>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_begins_when_the_one_before_it_of_its_key_has_ended() {
    #[reactor(
        window! < readings: "gate.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, emit = updates, retry = 1, to = "gate.results",
    )]
    async fn gather(
        id: Key<String>,
        readings: Vec<Reading>,
        window: Window,
        cx: Context,
        gate: State<Gate>,
    ) -> Result<Seen, Failure> {
        gate.begun.lock().unwrap().push((id.0.clone(), window.count(), cx.attempt()));
        if id.0 == "a" {
            gate.open.acquire().await.unwrap().forget();
        }
        if window.count() == 2 && cx.attempt() == 1 {
            return Err(Failure::new("again", "not yet"));
        }
        Ok(seen(id, readings, window))
    }
    let mut story = Story::begin(&["gate.brake"], "gate.results").await;
    let quick = Backoff { first: Duration::from_millis(5), ..Backoff::default() };
    story.config = story.config.clone().backoff(quick);
    let gate = Gate { open: Arc::new(Semaphore::new(0)), begun: Arc::default() };
    let app = story.start(story.app().state(gate.clone()).reactors(reactors![gather])).await;
    for value in 1..=3 {
        story.send("gate.brake", "a", value, 0).await;
    }
    story.send("gate.brake", "b", 4, 0).await;
    let run = |id: &str, count, attempt| (id.to_owned(), count, attempt);
    let begun = || gate.begun.lock().unwrap().clone();
    // Read behind the others of `a`, and run before them: of those one only has begun.
    eventually(SOON, || begun().contains(&run("b", 1, 1))).await;
    let mut expected = vec![run("a", 1, 1), run("b", 1, 1)];
    assert_eq!(begun(), expected);
    // A second attempt belongs to its update.
    for next in [run("a", 2, 1), run("a", 2, 2), run("a", 3, 1)] {
        gate.open.add_permits(1);
        expected.push(next);
        eventually(SOON, || begun().len() >= expected.len()).await;
        assert_eq!(begun(), expected);
    }
    gate.open.add_permits(1);
    for values in [&[1][..], &[1, 2], &[1, 2, 3]] {
        assert_eq!(story.result().await, fired("a", values, 0..10_000, "update"));
    }
    assert_eq!(story.result().await, fired("b", &[4], 0..10_000, "update"));
    app.shutdown().await.unwrap();
}
