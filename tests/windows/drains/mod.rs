//! Drains: everything that is open fires.

mod uncommitted;

use fusion::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::common::{Raw, Record, SOON, Tail, cluster, create, eventually, start, unique, within};

/// An event time at which a window begins.
const BASE: i64 = 1_700_000_000_000 / 60_000 * 60_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reading {
    id: String,
    value: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_sends_what_is_open_and_nothing_twice() {
    #[reactor(
        window! < readings: "operations.drain" by id >,
        tumbling = 60s, grace = 10s,
        to = "operations.drained", late = "operations.drained.late",
    )]
    async fn drained(id: Key<String>, readings: Vec<Reading>) -> (String, usize) {
        tokio::task::yield_now().await;
        (id.0, readings.len())
    }
    drain::<drained>(reactors![drained], "operations.drain", "operations.drained").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_of_copartitioned_sources_does_the_same() {
    #[reactor(
        window! < readings: "operations.co.drain" by id >,
        tumbling = 60s, grace = 10s, copartitioned,
        to = "operations.co.drained", late = "operations.co.drained.late",
    )]
    async fn together(id: Key<String>, readings: Vec<Reading>) -> (String, usize) {
        tokio::task::yield_now().await;
        (id.0, readings.len())
    }
    drain::<together>(reactors![together], "operations.co.drain", "operations.co.drained").await;
}

async fn drain<W>(reactors: fusion::rules::Set<(W, ())>, from: &str, to: &str)
where
    W: fusion::WindowReactor<Needs = ()>,
{
    let config = cluster();
    let late = format!("{to}.late");
    create(&config, &[from, to, &late], 3).await;
    let group = unique("drain");
    let app = |reactors| App::new(&*group, config.clone()).reactors(reactors);
    let (raw, mut results) = (Raw::new(&config), Tail::at_end(&config, to).await);
    let mut refused = Tail::at_end(&config, &late).await;
    let record = |id, value, time: i64| {
        let value = json!({"id": id, "value": value}).to_string();
        Record::to(from).key(id).value(value).timestamp(BASE + time)
    };
    for (id, value) in [("a", 1), ("b", 1), ("c", 1), ("a", 2)] {
        raw.send(record(id, value, 0)).await;
    }
    let first = start(app(reactors)).await;
    let open = || first.windows()[0].partitions.iter().map(|one| one.open).sum::<usize>();
    eventually(SOON, || open() == 3 && first.windows()[0].lag() == 0).await;
    within(SOON, first.drain()).await.unwrap();
    assert_eq!(open(), 0);
    let mut sent: Vec<_> = results.take(3).await;
    sent.sort_by_key(|record| record.key.clone());
    let values: Vec<_> = sent.iter().map(Record::json).collect();
    assert_eq!(values, [json!(["a", 2]), json!(["b", 1]), json!(["c", 1])]);
    assert!(sent.iter().all(|record| record.text("fusion-window-reason") == "drained"));
    // Time is where the window closed: what belongs to it is late.
    raw.send(record("a", 4, 59_999)).await;
    assert_eq!(within(SOON, refused.one()).await.json()["value"], 4);
    // Nothing is open, and that is no reason to wait.
    within(SOON, first.drain()).await.unwrap();
    // It was committed: what comes next sends only what is new.
    first.shutdown().await.unwrap();
    let second = start(app(fusion::__private::set())).await;
    raw.send(record("a", 5, 59_999)).await;
    assert_eq!(within(SOON, refused.one()).await.json()["value"], 5, "it was committed where time is, too");
    raw.send(record("a", 3, 3_600_000)).await;
    eventually(SOON, || second.windows()[0].partitions.iter().map(|one| one.open).sum::<usize>() == 1).await;
    within(SOON, second.drain()).await.unwrap();
    assert_eq!(results.one().await.json(), json!(["a", 1]));
    assert_eq!(results.rest(), []);
    second.shutdown().await.unwrap();
}
