//! What somebody who runs windows sees of them and does to them.

use fusion::{Contract, Count, Error, Window, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::common::{Raw, Record, SOON, Tail, cluster, create, eventually, start, unique, within};

/// An event time at which a window of any size in here begins.
const BASE: i64 = 1_700_000_000_000 / 60_000 * 60_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reading {
    id: String,
    value: u32,
}

fn reading(topic: &str, id: &str, value: u32, time: i64) -> Record {
    let value = json!({"id": id, "value": value}).to_string();
    Record::to(topic).partition(0).value(value).timestamp(time)
}

/// More of them than can be remembered beside an offset.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_sessions_that_outgrew_longest_end_the_app_with_what_helps() {
    #[reactor(
        window! < readings: "operations.longest" by id >,
        session = 1s, longest = 2s, grace = 0s,
    )]
    fn outgrown(readings: Vec<Reading>, window: Window) {
        drop((readings, window));
    }
    let config = cluster();
    create(&config, &["operations.longest"], 1).await;
    let app = start(App::new(unique("longest"), config.clone()).reactors(reactors![outgrown])).await;
    let raw = Raw::new(&config);
    for second in 0..4 {
        for key in 0..120 {
            let time = BASE + second * 1_000;
            drop(raw.queue(&reading("operations.longest", &key.to_string(), 1, time)));
        }
    }
    let failed = within(SOON, app.failed()).await;
    let Error::Window { name: "outgrown", partition: 0, reason, .. } = &*failed else { panic!("{failed}") };
    assert!(reason.contains("became longer than `longest`"), "{reason}");
    app.shutdown().await.unwrap();
}

/// A member whose clock is behind: what it writes into the log is stamped long before what is there.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart_are_counted() {
    #[reactor(
        window! < readings: "operations.clocks" by id >,
        tumbling = 1s, grace = 0s, idle = 3s,
    )]
    fn clocks(readings: Vec<Reading>) {
        drop(readings);
    }
    let config = cluster();
    create(&config, &["operations.clocks"], 1).await;
    let group = unique("clocks");
    let app = start(App::new(&*group, config.clone()).reactors(reactors![clocks])).await;
    let log = format!("{group}.clocks.repartition");
    let mut tail = Tail::at_start(&config, &log).await;
    let mut claim = tail.one().await.json();
    let stamp = claim["stamp"].as_i64().unwrap();
    let write = |stamp: i64, claim: &mut serde_json::Value| {
        claim["stamp"] = stamp.into();
        Record::to(&*log).partition(0).header("fusion-control", "1").value(claim.to_string())
    };
    let raw = Raw::new(&config);
    raw.send(write(stamp - 900, &mut claim)).await;
    raw.send(write(stamp - 20_000, &mut claim)).await;
    eventually(SOON, || app.metrics().get(Count::ClocksApart) == 1).await;
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_what_a_window_sends() {
    #[reactor(
        window! < readings: "operations.results" by id >,
        tumbling = 1s, grace = 0s,
        to = "operations.results.to",
    )]
    fn large(id: Key<String>, readings: Vec<Reading>) -> Option<(String, u32)> {
        let sum = readings.iter().map(|reading| reading.value).sum();
        (sum > 10).then_some((id.0, sum))
    }
    #[reactor(topic = "operations.results.double")]
    fn double(number: i64) -> i64 {
        number * 2
    }
    let config = cluster();
    create(&config, &["operations.results"], 1).await;
    let app = App::new(unique("results"), config.clone()).reactors(reactors![large, double]);
    let app = start(app).await;
    let mut results: fusion::Results<(String, u32)> = app.results::<large>();
    let mut doubles: fusion::Results<i64> = app.results::<double>();
    let raw = Raw::new(&config);
    raw.send(Record::to(double::TOPIC).value("21")).await;
    assert_eq!(within(SOON, doubles.next()).await.unwrap().unwrap().value, 42);
    for (id, value) in [("small", 1), ("large", 5), ("large", 6), ("late", 20)] {
        let time = BASE + if id == "late" { 1_000 } else { 0 };
        raw.send(reading("operations.results", id, value, time)).await;
    }
    raw.send(reading("operations.results", "any", 0, BASE + 2_000)).await;
    for expected in [("large", 11), ("late", 20)] {
        let produced = within(SOON, results.next()).await.unwrap().unwrap();
        assert_eq!((produced.value.0.as_str(), produced.value.1), expected);
    }
    app.shutdown().await.unwrap();
    assert!(within(SOON, results.next()).await.is_none());
}

/// A record of the log is one of a source if it says from where.
async fn gathered(log: &mut Tail) -> (String, i64) {
    loop {
        let record = log.one().await;
        if record.header_names()[0] == "fusion-source" {
            return (record.json()["id"].as_str().unwrap().to_owned(), record.timestamp.unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_ahead_waits_for_the_slowest() {
    #[reactor(
        window! < readings: "operations.fast" | "operations.slow" by id >,
        tumbling = 1s, grace = 0s, idle = never,
    )]
    fn ahead(readings: Vec<Reading>) {
        drop(readings);
    }
    let config = cluster();
    let (fast, slow) = ("operations.fast", "operations.slow");
    create(&config, &[fast, slow], 1).await;
    let group = unique("ahead");
    let app = start(App::new(&*group, config.clone()).reactors(reactors![ahead])).await;
    let mut log = Tail::at_start(&config, &format!("{group}.ahead.repartition")).await;
    let raw = Raw::new(&config);
    raw.send(reading(slow, "a", 1, BASE)).await;
    assert_eq!(gathered(&mut log).await, ("a".to_owned(), BASE));
    raw.send(reading(fast, "b", 1, BASE + 600_000)).await;
    assert_eq!(gathered(&mut log).await.0, "b");
    raw.send(reading(fast, "c", 1, BASE + 600_001)).await;
    // Its worker goes on to speak of time, and does not take the record that is there.
    let sent = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    loop {
        let record = log.one().await;
        assert_eq!(record.header_names(), ["fusion-control"]);
        let control = record.json();
        let spoke =
            control["claims"][0]["topic"] == fast && control["stamp"].as_i64().unwrap() > sent + 1_000;
        if spoke {
            break;
        }
    }
    raw.send(reading(slow, "d", 1, BASE + 599_500)).await;
    assert_eq!([gathered(&mut log).await.0, gathered(&mut log).await.0], ["d", "c"]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_source_that_is_silent() {
    #[reactor(
        window! < readings: "operations.awake" | "operations.silent" by id >,
        tumbling = 1s, grace = 0s, idle = 600ms,
    )]
    fn silent(readings: Vec<Reading>) {
        drop(readings);
    }
    let config = cluster();
    let (awake, silent_) = ("operations.awake", "operations.silent");
    create(&config, &[awake, silent_], 1).await;
    let group = unique("silent");
    let app = start(App::new(&*group, config.clone()).reactors(reactors![silent])).await;
    let mut log = Tail::at_start(&config, &format!("{group}.silent.repartition")).await;
    let raw = Raw::new(&config);
    raw.send(reading(silent_, "a", 1, BASE)).await;
    assert_eq!(gathered(&mut log).await.0, "a");
    for id in ["b", "c", "d"] {
        raw.send(reading(awake, id, 1, BASE + 600_000)).await;
        assert_eq!(gathered(&mut log).await.0, id);
    }
    app.shutdown().await.unwrap();
}
