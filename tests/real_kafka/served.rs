//! A topic that a window gathers and a reactor serves, in one app whose members are killed.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use fusion::{App, Contract, Running, Start, Window, prelude::*};
use fusion_runtime::produce::transactions::CommitMetadata;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    child::Child,
    common::{Raw, Record, SOON, Tail, create, eventually, start, unique},
    look::Look,
    window_troubles::come_and_go,
    windows::{Gathered, PARTITIONS, Reading, Variant, config, gathered, killed_at_any_moment},
    work::{Entry, Log, ended},
};

#[reactor(
    window! < readings: "soak.served.brake" | "soak.served.lidar" | "soak.served.camera" | "soak.served.radar"
              by id at time >,
    tumbling = 2s, grace = 500ms, idle = 3s,
    to = "soak.served.results",
)]
pub fn soak(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

/// Ends out of order.
#[reactor(topic = "soak.served.lidar", concurrency = 16)]
pub async fn busy(reading: Reading) {
    tokio::time::sleep(Duration::from_millis(reading.number * 7 % 90)).await;
}

const SERVED: Variant = Variant {
    name: "served",
    sources: ["soak.served.brake", "soak.served.lidar", "soak.served.camera", "soak.served.radar"],
    results: "soak.served.results",
};

/// Two groups would both write results of what is sent to a variant.
static ALONE: Mutex<()> = Mutex::const_new(());

pub async fn one_result_per_window_beside_a_reactor_however_members_die() {
    let _alone = ALONE.lock().await;
    killed_at_any_moment(&SERVED).await;
}

pub async fn members_with_a_reactor_beside_a_window_come_and_go() {
    let _alone = ALONE.lock().await;
    come_and_go(&SERVED, "classic").await;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    id: String,
    number: u64,
}

/// How long it takes whose id begins with it.
struct Slow(Duration);

#[reactor(topic = "served.orders", concurrency = 16, within = 60s)]
async fn handle(order: Order, slow: State<Slow>, log: State<Log>, cx: Context) {
    log.add(true, &cx, &order.id);
    if order.id.starts_with("slow") {
        tokio::time::sleep(slow.0).await;
    }
    log.add(false, &cx, &order.id);
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    id: String,
    start: i64,
    numbers: Vec<u64>,
}

#[reactor(
    window! < orders: handle by id >,
    tumbling = 10s, grace = 0s, idle = never,
    to = "served.sums",
)]
fn sum(id: Key<String>, orders: Vec<Order>, window: Window) -> Sum {
    let mut numbers: Vec<u64> = orders.into_iter().map(|order| order.number).collect();
    numbers.sort_unstable();
    Sum { id: id.0, start: window.start_millis(), numbers }
}

fn app(group: &str, begin: Start, slow: u64, log: Log) -> App<(Log, (Slow, ()))> {
    let slow = Slow(Duration::from_millis(slow));
    App::new(group, config("classic").start(begin)).state(slow).state(log).reactors(reactors![handle, sum])
}

/// What a child process does: orders that are slow take so many milliseconds.
pub async fn serve(group: &str, slow: u64, log: Log) -> fusion::Result<()> {
    app(group, Start::Earliest, slow, log).run().await
}

/// Orders of one run, in windows of 10 seconds.
struct Orders {
    raw: Raw,
    run: String,
    base: i64,
    sent: BTreeMap<(String, i64), Vec<u64>>,
    next: u64,
}

impl Orders {
    async fn send(&mut self, partition: i32, id: &str, time: i64) -> (i32, i64) {
        let (id, number, time) = (format!("{id}-{}", self.run), self.next, self.base + time);
        self.next += 1;
        self.sent.entry((id.clone(), time - time.rem_euclid(10_000))).or_default().push(number);
        let value = serde_json::to_vec(&Order { id: id.clone(), number }).unwrap();
        let record = Record::to(handle::TOPIC).partition(partition).key(id).value(value).timestamp(time);
        self.raw.send(record).await
    }
}

/// What the group knows beside the lowest unfinished record of each partition: how far the window is, and how many records
/// beyond it the reactor has finished.
fn known(look: &Look) -> Vec<(i64, Option<i64>, i64)> {
    let beside = look.beside(handle::TOPIC);
    let known = look.committed(handle::TOPIC).into_iter().zip(beside).map(|(offset, text)| {
        let offset = offset.unwrap();
        let metadata = CommitMetadata::accept(text.as_bytes(), offset, i64::MAX).unwrap();
        let finished = metadata.finished("done").unwrap_or_default();
        (offset, metadata.offset_of("read"), finished.iter().map(|run| run.end - run.start).sum())
    });
    known.collect()
}

fn begun(entries: &[Entry]) -> HashMap<(i32, i64), usize> {
    let mut begun = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.begins) {
        *begun.entry((entry.partition, entry.offset)).or_default() += 1;
    }
    begun
}

pub async fn what_was_finished_beyond_a_slow_record_survives_a_kill() {
    let (group, config) = (unique("served"), config("classic"));
    create(&config, &[handle::TOPIC, "served.sums"], PARTITIONS).await;
    let (look, log) = (Look::new(&config, &group), Log::new(&group));
    let first: Running = start(app(&group, Start::Latest, 0, log.clone())).await;
    eventually(SOON, || look.committed(handle::TOPIC).iter().all(Option::is_some)).await;
    first.shutdown().await.unwrap();
    let mut sums = Tail::at_end(&config, "served.sums").await;
    let base = 1_700_000_000_000;
    let mut orders =
        Orders { raw: Raw::new(&config), run: unique("run"), base, sent: BTreeMap::new(), next: 0 };
    let mut slow = Vec::new();
    for partition in 0..PARTITIONS {
        slow.push(orders.send(partition, "slow", 0).await);
        for number in 0..40 {
            orders.send(partition, &format!("id-{}", number % 7), 1 + number).await;
        }
    }
    let child = |slow: &str| Child::start(&["served", &group, slow, log.path().to_str().unwrap()]);
    let mut victim = child("50000");
    let expected: Vec<_> = slow.iter().map(|(_, offset)| (*offset, Some(offset + 41), 40)).collect();
    eventually(SOON, || known(&look) == expected).await;
    victim.kill();
    let at_death = begun(&log.read());
    assert_eq!(at_death.len(), 3 * 41);

    for partition in 0..PARTITIONS {
        for number in 0..20 {
            orders.send(partition, &format!("id-{}", number % 7), 100 + number).await;
        }
    }
    let mut last = child("0");
    eventually(SOON, || ended(&log.read()).len() == 3 * 61).await;
    let sent = std::mem::take(&mut orders.sent);
    for partition in 0..PARTITIONS {
        orders.send(partition, "clock", 60_000).await;
    }
    let mut found = BTreeMap::new();
    while found.len() < sent.len() {
        let Sum { id, start, numbers } = serde_json::from_value(sums.one().await.json()).unwrap();
        if id.ends_with(&orders.run) {
            assert_eq!(found.insert((id, start), numbers), None, "a second result");
        }
    }
    assert_eq!(found, sent);
    eventually(SOON, || look.is_done(handle::TOPIC)).await;
    last.terminate();
    assert!(last.ended(SOON).await.0.success());
    assert_eq!(sums.rest(), [], "a second result");
    for (place, runs) in begun(&log.read()) {
        assert_eq!(runs, if slow.contains(&place) { 2 } else { 1 }, "of {place:?}");
    }
}
