//! What a partition's reader says last.

use std::sync::{Condvar, Mutex};

use fusion::{Window, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    common::{SOON, Tail, create_with, eventually},
    story::{Reading, SECOND, Seen, Story, now, seen},
};

/// Reading the value 99 takes until the gate is open.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Reading")]
struct Held {
    id: Option<String>,
    value: u32,
    time: Option<i64>,
}

static GATE: (Mutex<Gate>, Condvar) =
    (Mutex::new(Gate { is_reached: false, is_open: false }), Condvar::new());

struct Gate {
    is_reached: bool,
    is_open: bool,
}

impl From<Reading> for Held {
    fn from(Reading { id, value, time }: Reading) -> Self {
        if value == 99 {
            let mut gate = GATE.0.lock().unwrap();
            gate.is_reached = true;
            drop(GATE.1.wait_while(gate, |gate| !gate.is_open).unwrap());
        }
        Held { id, value, time }
    }
}

/// The stamp of the next control record with a claim, and the claim.
async fn claim(log: &mut Tail) -> (i64, serde_json::Value) {
    loop {
        let record = log.one().await;
        if record.header_names() == ["fusion-control"]
            && let Some(claim) = record.json()["claims"].get(0)
        {
            return (record.json()["stamp"].as_i64().unwrap(), claim.clone());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_partition_that_was_silent_and_has_just_spoken_is_not_left_as_silent() {
    #[reactor(
        window! < readings: "leaving.brake" by id at time >,
        tumbling = 10s, grace = 0s, idle = 300ms, to = "leaving.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Held>, window: Window) -> Seen {
        let readings = readings.into_iter().map(|Held { id, value, time }| Reading { id, value, time });
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "leaving.lidar" by id at time >,
        tumbling = 10s, grace = 0s, idle = 1h,
    )]
    fn other(readings: Vec<Reading>) {
        drop(readings);
    }
    let story = Story::begin(&["leaving.brake", "leaving.lidar"], "leaving.results").await;
    // As the windows would make them.
    for log in [story.log("gather"), story.log("other")] {
        create_with(&story.config, &log, 1, &[("retention.ms", "-1"), ("retention.bytes", "-1")]).await;
    }
    let mut log = Tail::at_end(&story.config, &story.log("gather")).await;
    let mut other_log = Tail::at_end(&story.config, &story.log("other")).await;
    let app = story.start(story.app().reactors(reactors![gather, other])).await;
    story.send("leaving.brake", "a", 1, 0).await;
    while claim(&mut log).await.1["idle"] == false {}
    story.send("leaving.brake", "a", 99, 5 * SECOND).await;
    eventually(SOON, || GATE.0.lock().unwrap().is_reached).await;
    let stopped = now();
    let stop = tokio::spawn(app.shutdown());
    // Everybody was told to stop: this one repeats its claims every twenty minutes, and when it leaves.
    while claim(&mut other_log).await.0 < stopped {}
    GATE.0.lock().unwrap().is_open = true;
    GATE.1.notify_all();
    stop.await.unwrap().unwrap();
    let mut last = claim(&mut log).await.1;
    while last["newest"][0] != story.base + 5 * SECOND {
        last = claim(&mut log).await.1;
    }
    assert_eq!(last["idle"], false, "{last}");
}
