//! Which records run beside each other, how many, and what happens when they are too many.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use common::{Raw, Record, SOON, cluster, create, eventually, on_real, start, unique, within};
use fusion::{Config, Contract, Count, prelude::*};
use tokio::sync::{Barrier, Semaphore};

/// Watches handlers of one run of the test: what another run left behind is let through.
struct Watch {
    run: String,
    gate: Semaphore,
    inner: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    running: BTreeMap<String, usize>,
    together: usize,
    most: usize,
    most_of_one: usize,
    ended: Vec<(String, usize)>,
}

impl Watch {
    fn new() -> Arc<Watch> {
        Arc::new(Watch { run: unique("run"), gate: Semaphore::new(0), inner: Mutex::default() })
    }

    fn open(self: Arc<Self>) -> Arc<Self> {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
        self
    }

    fn begin(&self, lane: &str) {
        let mut watched = self.inner.lock().unwrap();
        *watched.running.entry(lane.to_owned()).or_default() += 1;
        let of_one = watched.running[lane];
        watched.together += 1;
        watched.most = watched.most.max(watched.together);
        watched.most_of_one = watched.most_of_one.max(of_one);
    }

    /// Waits for the gate, then lets others go first a few times.
    async fn run(&self, lane: &str, (run, number): Work) {
        if run != self.run {
            return;
        }
        self.begin(lane);
        self.gate.acquire().await.unwrap().forget();
        for _ in 0..number % 5 {
            tokio::task::yield_now().await;
        }
        let mut watched = self.inner.lock().unwrap();
        *watched.running.get_mut(lane).unwrap() -= 1;
        watched.together -= 1;
        watched.ended.push((lane.to_owned(), number));
    }

    fn ended(&self) -> usize {
        self.inner.lock().unwrap().ended.len()
    }

    fn together(&self) -> usize {
        self.inner.lock().unwrap().together
    }

    /// The most that ran at the same time, in all and of one lane.
    fn most(&self) -> (usize, usize) {
        let Watched { most, most_of_one, .. } = *self.inner.lock().unwrap();
        (most, most_of_one)
    }

    /// All of `0..count` ended once, those of each lane in order.
    fn assert_in_order(&self, count: usize) {
        let watched = self.inner.lock().unwrap();
        let mut lanes = BTreeMap::<&str, Vec<usize>>::new();
        for (lane, number) in &watched.ended {
            lanes.entry(lane).or_default().push(*number);
        }
        for (lane, numbers) in lanes {
            assert!(numbers.is_sorted(), "{lane}: {numbers:?}");
        }
        drop(watched);
        self.assert_each_once(count);
    }

    fn assert_each_once(&self, count: usize) {
        let ended = &self.inner.lock().unwrap().ended;
        let numbers: BTreeSet<_> = ended.iter().map(|(_, number)| *number).collect();
        assert_eq!((ended.len(), numbers.len()), (count, count));
    }

    /// Writes `0..count`, number n with the key of `n % keys` and to partition `key % partitions`.
    async fn send(&self, config: &Config, topic: &str, count: usize, keys: usize, partitions: usize) {
        create(config, &[topic], partitions as i32).await;
        let raw = Raw::new(config);
        let records = (0..count).map(|number| {
            let (key, work) = (number % keys, (&self.run, number));
            let record = Record::to(topic).key(key.to_string()).partition((key % partitions) as i32);
            raw.queue(&record.value(serde_json::to_vec(&work).unwrap()))
        });
        for delivered in records.collect::<Vec<_>>() {
            within(SOON, delivered).await.unwrap().unwrap();
        }
    }
}

/// The run of the test, and a number in it.
type Work = (String, usize);

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_key_run_in_order_and_alone() {
    #[reactor(topic = "order.key")]
    async fn by_key(work: Work, key: Key<String>, watch: State<Arc<Watch>>) {
        watch.run(&key, work).await;
    }
    let (config, watch) = (cluster(), Watch::new().open());
    let topic = by_key::TOPIC;
    let app = App::new("order.key", config.clone()).state(watch.clone()).reactors(reactors![by_key]);
    watch.send(&config, topic, 2000, 20, 4).await;
    let app = start(app).await;
    eventually(SOON, || watch.ended() >= 2000).await;
    watch.assert_in_order(2000);
    assert_eq!(watch.most().1, 1);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_partition_run_in_order_and_alone() {
    #[reactor(topic = "order.partition", order = partition)]
    async fn by_partition(work: Work, cx: Context, watch: State<Arc<Watch>>) {
        watch.run(&cx.partition().to_string(), work).await;
    }
    let (config, watch) = (cluster(), Watch::new().open());
    let app = App::new("order.partition", config.clone()).state(watch.clone());
    watch.send(&config, by_partition::TOPIC, 1000, 8, 4).await;
    let app = start(app.reactors(reactors![by_partition])).await;
    eventually(SOON, || watch.ended() >= 1000).await;
    watch.assert_in_order(1000);
    assert_eq!(watch.most().1, 1);
    app.shutdown().await.unwrap();
}

/// Handlers that wait for each other: they never end when they do not run at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_overlap_does() {
    struct Meet {
        keys: Barrier,
        same: Barrier,
        partitions: Barrier,
    }
    #[reactor(topic = "order.overlap.keys")]
    async fn keys(meet: State<Meet>) -> () {
        meet.keys.wait().await;
    }
    #[reactor(topic = "order.overlap.none", order = none)]
    async fn none(meet: State<Meet>) -> () {
        meet.same.wait().await;
    }
    #[reactor(topic = "order.overlap.partitions", order = partition)]
    async fn partitions(meet: State<Meet>) -> () {
        meet.partitions.wait().await;
    }
    let config = cluster();
    create(&config, &[keys::TOPIC, none::TOPIC], 1).await;
    create(&config, &[partitions::TOPIC], 3).await;
    let meet = || Barrier::new(3);
    let meet = Meet { keys: meet(), same: meet(), partitions: meet() };
    let app = App::new("order.overlap", config.clone()).state(meet);
    let app = start(app.reactors(reactors![keys, none, partitions])).await;
    let raw = Raw::new(&config);
    // Two keys and none at all; one key three times; a record in each partition.
    raw.send(Record::to(keys::TOPIC).key("a").value("null")).await;
    raw.send(Record::to(keys::TOPIC).key("b").value("null")).await;
    raw.send(Record::to(keys::TOPIC).value("null")).await;
    for partition in 0..3 {
        raw.send(Record::to(none::TOPIC).key("a").value("null")).await;
        raw.send(Record::to(partitions::TOPIC).key("a").value("null").partition(partition)).await;
    }
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 9).await;
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_than_concurrency_says() {
    #[reactor(topic = "order.three", concurrency = 3)]
    async fn three(work: Work, key: Key<String>, watch: State<Arc<Watch>>) {
        watch.run(&key, work).await;
    }
    #[reactor(topic = "order.one", concurrency = 1)]
    async fn one(work: Work, key: Key<String>, watch: State<(Arc<Watch>,)>) {
        watch.0.run(&key, work).await;
    }
    let (config, threes, ones) = (cluster(), Watch::new(), Watch::new());
    threes.send(&config, three::TOPIC, 300, 30, 4).await;
    ones.send(&config, one::TOPIC, 300, 30, 4).await;
    let app = App::new("order.concurrency", config.clone()).state(threes.clone()).state((ones.clone(),));
    let app = start(app.reactors(reactors![three, one])).await;
    eventually(SOON, || threes.together() == 3 && ones.together() == 1).await;
    for ended in 1..=20 {
        threes.gate.add_permits(1);
        ones.gate.add_permits(1);
        eventually(SOON, || threes.ended() == ended && ones.ended() == ended).await;
        eventually(SOON, || threes.together() == 3 && ones.together() == 1).await;
    }
    let (threes, ones) = (threes.open(), ones.open());
    eventually(SOON, || threes.ended() >= 300 && ones.ended() >= 300).await;
    assert_eq!((threes.most(), ones.most()), ((3, 1), (1, 1)));
    threes.assert_in_order(300);
    ones.assert_in_order(300);
    app.shutdown().await.unwrap();
}

/// A second record of a busy key cannot run, so it must not keep another partition from running either.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_key_holds_up_nobody_else() {
    #[reactor(topic = "order.pair", concurrency = 2)]
    async fn pair(first: bool, meet: State<Barrier>) -> () {
        if first {
            meet.wait().await;
        }
    }
    let config = cluster();
    create(&config, &[pair::TOPIC], 2).await;
    let app = App::new("order.pair", config.clone()).state(Barrier::new(2)).reactors(reactors![pair]);
    let raw = Raw::new(&config);
    let app = start(app).await;
    for value in ["true", "false", "false"] {
        raw.send(Record::to(pair::TOPIC).key("a").value(value).partition(0)).await;
    }
    eventually(SOON, || app.metrics().get(Count::Records) >= 3).await;
    raw.send(Record::to(pair::TOPIC).key("b").value("true").partition(1)).await;
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 4).await;
    app.shutdown().await.unwrap();
}

/// Thousands of records and a gate that is closed: memory stays bounded, the group stays whole, nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_records_wait_in_kafka() {
    #[reactor(topic = "order.flood", concurrency = 8)]
    async fn flood(work: Work, key: Key<String>, watch: State<Arc<Watch>>) {
        watch.run(&key, work).await;
    }
    // What a member may take until it has to be heard of. A classic one must have its session within it.
    let alive = Duration::from_secs(if on_real() { 6 } else { 2 });
    let config = cluster().in_flight(200);
    let config = config.consumer_set("max.poll.interval.ms", alive.as_millis().to_string());
    let watch = Watch::new();
    watch.send(&config, flood::TOPIC, 5000, 500, 8).await;
    let app = App::new("order.flood", config).state(watch.clone()).reactors(reactors![flood]);
    let app = start(app).await;
    eventually(SOON, || watch.together() == 8 && app.metrics().get(Count::Pauses) > 0).await;
    let since = Instant::now();
    eventually(SOON, || since.elapsed() > alive + alive / 2).await;
    // `in_flight`, a batch, and of each partition less than one and a half of its share, which is 64 here.
    let metrics = app.metrics();
    let held = metrics.get(Count::Records) - metrics.get(Count::Succeeded);
    assert!(held < 200 + 200 + 8 * 96, "{held} records are held");
    assert_eq!((watch.together(), watch.ended()), (8, 0));
    let watch = watch.open();
    eventually(SOON, || watch.ended() >= 5000).await;
    watch.assert_each_once(5000);
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Revoked), metrics.get(Count::Redelivered)), (0, 0));
    assert_eq!(watch.most(), (8, 1));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_stays_pending_stops_only_its_key() {
    #[reactor(topic = "order.stuck", within = 1m)]
    async fn stuck(forever: String, run: State<String>) -> () {
        if forever == *run {
            std::future::pending::<()>().await;
        }
    }
    let config = cluster().stop_limit(Duration::from_millis(500));
    create(&config, &[stuck::TOPIC], 1).await;
    let run = unique("run");
    let app = App::new("order.stuck", config.clone()).state(run.clone()).reactors(reactors![stuck]);
    let (app, raw) = (start(app).await, Raw::new(&config));
    raw.send(Record::to(stuck::TOPIC).key("a").value(format!("\"{run}\""))).await;
    let (_, last) = raw.send(Record::to(stuck::TOPIC).key("b").value("\"\"")).await;
    let mut results = app.results::<stuck>();
    for number in 0..200 {
        raw.send(Record::to(stuck::TOPIC).key(format!("{number}")).value("\"\"")).await;
    }
    let mut behind = 0;
    while behind < 200 {
        behind += usize::from(within(SOON, results.next()).await.unwrap().unwrap().offset > last);
    }
    app.shutdown().await.unwrap();
}
