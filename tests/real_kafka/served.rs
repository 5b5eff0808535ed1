//! A topic that a window gathers and a reactor serves, in one app whose members are killed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    future::Future,
    slice::from_ref,
    time::Duration,
};

use fusion::{App, Contract, Running, Start, Window, prelude::*};
use fusion_runtime::produce::transactions::CommitMetadata;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    child::Child,
    common::{Raw, Record, SOON, Tail, create, eventually, start, unique},
    look::Look,
    window_troubles::come_and_go,
    windows::{Gathered, PARTITIONS, Reading, Variant, config, gathered, killed_at_any_moment},
    work::{Log, ended},
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
#[reactor(topic = "soak.served.lidar", concurrency = 16, to = "soak.served.handled")]
pub async fn busy(reading: Reading) -> Reading {
    tokio::time::sleep(Duration::from_millis(reading.number * 7 % 90)).await;
    reading
}

const SERVED: Variant = Variant {
    name: "served",
    sources: ["soak.served.brake", "soak.served.lidar", "soak.served.camera", "soak.served.radar"],
    results: "soak.served.results",
};

/// Two groups would both write results of what is sent to a variant.
static ALONE: Mutex<()> = Mutex::const_new(());

pub async fn one_result_per_window_beside_a_reactor_however_members_die() {
    all_handled(killed_at_any_moment(&SERVED)).await;
}

pub async fn members_with_a_reactor_beside_a_window_come_and_go() {
    all_handled(come_and_go(&SERVED, "classic")).await;
}

/// Whatever happens to the members, the reactor handles all that is sent to it.
async fn all_handled(story: impl Future<Output = ()>) {
    let _alone = ALONE.lock().await;
    let config = config("classic");
    create(&config, &[busy::TOPIC], PARTITIONS).await;
    let mut sent = Tail::at_end(&config, busy::TOPIC).await;
    let mut handled = Tail::at_end(&config, "soak.served.handled").await;
    story.await;
    let read = |record: Record| {
        let Reading { id, number, .. } = serde_json::from_value(record.json()).unwrap();
        (id, number)
    };
    let mut missing: BTreeSet<_> = sent.rest().into_iter().map(read).collect();
    assert!(!missing.is_empty());
    while !missing.is_empty() {
        missing.remove(&read(handled.one().await));
    }
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

/// It keeps its membership while tests are slow, and what is given back does not wait long for what is slow.
fn app(group: &str, begin: Start, slow: u64, log: Log) -> App<(Log, (Slow, ()))> {
    let config = config("classic")
        .start(begin)
        .revoke_limit(Duration::from_secs(1))
        .stop_limit(Duration::from_secs(2))
        .consumer_set("session.timeout.ms", "6000");
    let slow = Slow(Duration::from_millis(slow));
    App::new(group, config).state(slow).state(log).reactors(reactors![handle, sum])
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

type Place = (i32, i64);

/// A group, and in each partition an order that is slow, with others behind it.
struct Story {
    group: String,
    look: Look,
    log: Log,
    sums: Tail,
    orders: Orders,
    slow: Vec<Place>,
    _alone: MutexGuard<'static, ()>,
}

static ONE_STORY: Mutex<()> = Mutex::const_new(());

impl Story {
    async fn begin() -> Story {
        let _alone = ONE_STORY.lock().await;
        let (group, config) = (unique("served"), config("classic"));
        create(&config, &[handle::TOPIC, "served.sums"], PARTITIONS).await;
        let (look, log) = (Look::new(&config, &group), Log::new(&group));
        let first: Running = start(app(&group, Start::Latest, 0, log.clone())).await;
        eventually(SOON, || look.committed(handle::TOPIC).iter().all(Option::is_some)).await;
        first.shutdown().await.unwrap();
        let sums = Tail::at_end(&config, "served.sums").await;
        let (raw, run) = (Raw::new(&config), unique("run"));
        let mut orders = Orders { raw, run, base: 1_700_000_000_000, sent: BTreeMap::new(), next: 0 };
        let mut slow = Vec::new();
        for partition in 0..PARTITIONS {
            slow.push(orders.send(partition, "slow", 0).await);
        }
        let mut story = Story { group, look, log, sums, orders, slow, _alone };
        story.send(40).await;
        story
    }

    /// Sends so many to each partition.
    async fn send(&mut self, count: i64) {
        for partition in 0..PARTITIONS {
            for number in 0..count {
                self.orders.send(partition, &format!("id-{}", number % 7), 1 + number).await;
            }
        }
    }

    /// Waits until the group has committed that nothing is left to be done but what is slow, with so many others behind it.
    async fn all_but_slow(&self, count: i64) {
        let known = |((offset, text), (_, slow)): ((Option<i64>, String), &Place)| {
            let offset = offset.unwrap();
            let metadata = CommitMetadata::accept(text.as_bytes(), offset, i64::MAX).unwrap();
            let behind = slow + 1..slow + 1 + count;
            offset == *slow
                && metadata.offset_of("read") == Some(slow + 1 + count)
                && metadata.finished("done") == Some(from_ref(&behind))
        };
        let is_known = || {
            let offsets = self.look.committed(handle::TOPIC).into_iter();
            offsets.zip(self.look.beside(handle::TOPIC)).zip(&self.slow).all(known)
        };
        eventually(SOON, is_known).await;
    }

    /// How often each order was begun.
    fn begun(&self) -> HashMap<Place, usize> {
        let mut begun = HashMap::new();
        for entry in self.log.read().iter().filter(|entry| entry.begins) {
            *begun.entry((entry.partition, entry.offset)).or_default() += 1;
        }
        begun
    }

    /// Each window has one result, and all others were begun once.
    async fn check(&mut self) {
        let sent = std::mem::take(&mut self.orders.sent);
        for partition in 0..PARTITIONS {
            self.orders.send(partition, "clock", 60_000).await;
        }
        let mut found = BTreeMap::new();
        while found.len() < sent.len() {
            let Sum { id, start, numbers } = serde_json::from_value(self.sums.one().await.json()).unwrap();
            if id.ends_with(&self.orders.run) {
                assert_eq!(found.insert((id, start), numbers), None, "a second result");
            }
        }
        assert_eq!(found, sent);
        for (place, runs) in self.begun() {
            assert!(runs == 1 || self.slow.contains(&place), "{runs} of {place:?}");
        }
    }
}

pub async fn what_was_finished_beyond_a_slow_record_survives_a_kill() {
    let mut story = Story::begin().await;
    let child = |story: &Story, slow| {
        Child::start(&["served", &story.group, slow, story.log.path().to_str().unwrap()])
    };
    let mut victim = child(&story, "50000");
    story.all_but_slow(40).await;
    victim.kill();
    assert_eq!(story.begun().len(), 3 * 41);

    story.send(20).await;
    let mut last = child(&story, "0");
    eventually(SOON, || ended(&story.log.read()).len() == 3 * 61).await;
    assert!(story.slow.iter().all(|slow| story.begun()[slow] == 2));
    story.check().await;
    eventually(SOON, || story.look.is_done(handle::TOPIC)).await;
    last.terminate();
    assert!(last.ended(SOON).await.0.success());
    assert_eq!(story.sums.rest(), [], "a second result");
}

pub async fn what_was_finished_beyond_a_slow_record_survives_a_revoke() {
    let mut story = Story::begin().await;
    let member = |story: &Story| app(&story.group, Start::Earliest, 50_000, story.log.clone());
    let first = start(member(&story)).await;
    story.all_but_slow(40).await;
    // All is revoked, and given out again.
    let second = start(member(&story)).await;
    eventually(SOON, || story.slow.iter().all(|slow| story.begun()[slow] > 1)).await;
    story.send(20).await;
    story.all_but_slow(60).await;
    story.check().await;
    first.shutdown().await.unwrap();
    second.shutdown().await.unwrap();
    assert_eq!(story.sums.rest(), [], "a second result");
}
