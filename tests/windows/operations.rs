//! What somebody who runs windows sees of them and does to them.

use fusion::{Contract, Count, Start, Window, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    common::{Raw, Record, SOON, Tail, cluster, create, eventually, start, unique, within},
    look::Look,
};

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
async fn many_sessions_that_outgrew_longest_survive_a_restart() {
    #[reactor(
        window! < readings: "operations.longest" by id >,
        session = 1s, longest = 2s, grace = 0s, idle = never, to = "operations.longest.to",
    )]
    fn outgrown(id: Key<String>, readings: Vec<Reading>, window: Window) -> (String, i64, usize) {
        (id.0, window.start_millis() - BASE, readings.len())
    }
    const KEYS: usize = 600;
    let config = cluster();
    create(&config, &["operations.longest", "operations.longest.to"], 1).await;
    let mut results = Tail::at_start(&config, "operations.longest.to").await;
    let group = unique("longest");
    let app = || App::new(&*group, config.clone()).reactors(reactors![outgrown]);
    let raw = Raw::new(&config);
    let send = |second: i64| {
        for key in 0..KEYS {
            let time = BASE + second * 1_000;
            drop(raw.queue(&reading("operations.longest", &key.to_string(), 1, time)));
        }
    };
    let first = start(app()).await;
    (0..5).for_each(send);
    // Of each key three records have fired, and two are open.
    let mut told = results.take(KEYS).await;
    let is_at = |app: &fusion::Running, time: i64| {
        let window = only(app);
        window.lag() == 0 && window.partitions.first().is_some_and(|one| one.time == Some(BASE + time))
    };
    eventually(SOON, || is_at(&first, 4_000)).await;
    first.shutdown().await.unwrap();
    let second = start(app()).await;
    eventually(SOON, || is_at(&second, 4_000)).await;
    (5..7).for_each(send);
    told.extend(results.take(KEYS).await);
    let mut told: Vec<_> = told.iter().map(Record::json).collect();
    told.sort_by_key(|one| one.to_string());
    let expected = (0..KEYS).flat_map(|key| [0, 3_000].map(|start| json!([key.to_string(), start, 3])));
    let mut expected: Vec<_> = expected.collect();
    expected.sort_by_key(|one| one.to_string());
    assert_eq!(told, expected);
    second.shutdown().await.unwrap();
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
    let mut both = [gathered(&mut log).await.0, gathered(&mut log).await.0];
    both.sort();
    assert_eq!(both, ["c", "d"]);
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

fn only(app: &fusion::Running) -> fusion::WindowMetrics {
    app.windows().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_say_where_time_is_and_what_holds_it_back() {
    #[reactor(
        window! < readings: "operations.quick" | "operations.late" by id >,
        tumbling = 10s, grace = 0s, idle = never,
    )]
    fn seen(readings: Vec<Reading>) {
        drop(readings);
    }
    let config = cluster();
    let (quick, late) = ("operations.quick", "operations.late");
    create(&config, &[quick, late], 1).await;
    let app = start(App::new(unique("seen"), config.clone()).reactors(reactors![seen])).await;
    let raw = Raw::new(&config);
    raw.send(reading(quick, "a", 1, BASE + 4_000)).await;
    // Nothing is known of time before both have spoken.
    eventually(SOON, || only(&app).partitions.first().is_some_and(|one| one.open == 1)).await;
    let window = only(&app);
    assert_eq!((window.name, window.partitions.len(), window.topics.len()), ("seen", 1, 2));
    assert_eq!((window.partitions[0].time, window.partitions[0].oldest), (None, None));
    let held_back = |one: &fusion::WindowPartition| {
        one.held_back_by.map(|held| (held.topic, held.partition, held.reason.as_str()))
    };
    eventually(SOON, || held_back(&only(&app).partitions[0]) == Some((late, 0, "empty"))).await;

    raw.send(reading(late, "a", 1, BASE + 3_000)).await;
    raw.send(reading(quick, "b", 1, BASE + 5_000)).await;
    raw.send(Record::to(quick).partition(0).value("no json").timestamp(BASE)).await;
    let is_at = |time: i64, open: usize| {
        let one = only(&app).partitions.remove(0);
        (one.time, one.open) == (Some(time), open)
    };
    eventually(SOON, || is_at(BASE + 3_000, 2)).await;
    let one = only(&app).partitions.remove(0);
    assert_eq!((one.open, one.oldest, held_back(&one)), (2, Some(3_000), Some((late, 0, "slowest"))));
    assert!(one.open_bytes > 0 && one.behind.unwrap() > 1_000_000_000, "{one:?}");
    let [log] = &one.logs[..] else { panic!("{one:?}") };
    assert!(log.to_replay() == 0 && log.committed < log.next && log.lag_held_back() > log.lag(), "{log:?}");

    // Time passes the end of that window, and the slow one has a record of it left.
    raw.send(reading(quick, "b", 1, BASE + 25_000)).await;
    raw.send(reading(late, "a", 1, BASE + 14_000)).await;
    eventually(SOON, || is_at(BASE + 14_000, 2)).await;
    raw.send(reading(late, "a", 1, BASE + 9_000)).await;
    let topic = |place: usize| only(&app).topics[place].clone();
    eventually(SOON, || topic(1).late[&fusion::LateReason::Closed] == 1).await;
    eventually(SOON, || topic(0).skipped[&fusion::Skipped::Undecodable] == 1).await;
    assert_eq!((topic(1).lateness, topic(0).lateness), ([0, 0, 1, 0, 0, 0, 0, 0, 0], [0; 9]));
    assert_eq!(
        (topic(0).skipped[&fusion::Skipped::Undecodable], topic(1).skipped.values().sum::<u64>()),
        (1, 0)
    );
    eventually(SOON, || only(&app).lag() == 0).await;
    app.shutdown().await.unwrap();
}

/// The lag of what is read again after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_back_to_what_is_open() {
    #[reactor(window! < readings: "operations.again" by id >, tumbling = 10s, grace = 0s, idle = never)]
    fn again(readings: Vec<Reading>) {
        drop(readings);
    }
    let config = cluster();
    create(&config, &["operations.again"], 1).await;
    let group = unique("again");
    let app = || App::new(&*group, config.clone()).reactors(reactors![again]);
    let first = start(app()).await;
    let raw = Raw::new(&config);
    for second in 0..5 {
        raw.send(reading("operations.again", "a", 1, BASE + second * 1_000)).await;
    }
    eventually(SOON, || {
        let window = only(&first);
        window.lag() == 0
            && window.partitions.first().is_some_and(|one| one.open == 1 && one.time == Some(BASE + 4_000))
    })
    .await;
    first.shutdown().await.unwrap();
    let second = start(app()).await;
    eventually(SOON, || only(&second).partitions.first().is_some_and(|one| one.open == 1)).await;
    let log = only(&second).partitions[0].logs[0].clone();
    assert!(log.decided > log.committed, "{log:?}");
    eventually(SOON, || only(&second).partitions[0].logs[0].to_replay() == 0).await;
    second.shutdown().await.unwrap();
}

/// A source that is ahead of the other by more than a window waits, and nothing of it is fetched meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn lag_reaches_to_the_end_also_while_nothing_is_read() {
    #[reactor(
        window! < readings: "operations.lag.brake" | "operations.lag.lidar" by id >,
        tumbling = 1s, grace = 0s, idle = never,
    )]
    fn rekeyed(readings: Vec<Reading>) {
        drop(readings);
    }
    #[reactor(
        window! < readings: "operations.lag.camera" | "operations.lag.radar" by id >,
        tumbling = 1s, grace = 0s, idle = never, copartitioned,
    )]
    fn copartitioned(readings: Vec<Reading>) {
        drop(readings);
    }
    const TOPICS: [&str; 4] =
        ["operations.lag.brake", "operations.lag.lidar", "operations.lag.camera", "operations.lag.radar"];
    // Little is read ahead.
    let config = cluster().start(Start::Earliest).in_flight(10).fetch_buffer(100 * 1024);
    create(&config, &TOPICS, 1).await;
    let group = unique("lag");
    let app = start(App::new(&*group, config.clone()).reactors(reactors![rekeyed, copartitioned])).await;
    let (raw, look) = (Raw::new(&config), Look::new(&config, &group));
    let pad = "x".repeat(20_000);
    let keyed = |topic: &str, time: i64| reading(topic, "a", 1, time).key("a").header("pad", &*pad);
    for topic in TOPICS {
        raw.send(keyed(topic, BASE)).await;
    }
    let write = async |count| {
        for topic in [TOPICS[0], TOPICS[2]] {
            for _ in 0..count {
                raw.send(keyed(topic, BASE + 3_600_000)).await;
            }
        }
    };
    let of_source = || {
        let windows = app.windows();
        let window = windows.iter().find(|window| window.name == "rekeyed").unwrap();
        (window.topics[0].lag, look.ends(TOPICS[0])[0] - look.committed(TOPICS[0])[0].unwrap_or(0))
    };
    let of_log = || {
        let windows = app.windows();
        let window = windows.iter().find(|window| window.name == "copartitioned").unwrap();
        let log = window.partitions.first()?.logs.first()?;
        Some((log.lag(), look.ends(TOPICS[2])[0] - log.next))
    };
    for count in [100, 3] {
        write(count).await;
        eventually(SOON, || {
            let (known, real) = of_source();
            known == real && known > 80
        })
        .await;
        eventually(SOON, || of_log().is_some_and(|(known, real)| known == real && known > 80)).await;
    }
    app.shutdown().await.unwrap();
}
