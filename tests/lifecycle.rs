//! Start, stop, start again: what is committed, what is delivered again, and how long an end takes.

mod common;

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use common::{Raw, Record, SOON, Tail, cluster, create, eventually, on_real, start, unique, within};
use fusion::{Count, Running, prelude::*};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::json;
use tokio::sync::Semaphore;

/// What a handler has seen of this run of the test: others may have left records behind.
#[derive(Clone)]
struct Seen {
    run: String,
    numbers: Arc<Mutex<Vec<usize>>>,
}

impl Seen {
    fn new() -> Seen {
        Seen { run: unique("run"), numbers: Arc::default() }
    }

    fn note(&self, run: &str, number: usize) {
        if run == self.run {
            self.numbers.lock().unwrap().push(number);
        }
    }

    fn sorted(&self) -> Vec<usize> {
        let mut numbers = self.numbers.lock().unwrap().clone();
        numbers.sort_unstable();
        numbers
    }

    fn len(&self) -> usize {
        self.numbers.lock().unwrap().len()
    }

    async fn send(&self, raw: &Raw, topic: &str, numbers: impl IntoIterator<Item = usize>) {
        let records = numbers.into_iter().map(|number| {
            Record::to(topic).key(number.to_string()).value(json!([self.run, number]).to_string())
        });
        for delivered in records.map(|record| raw.queue(&record)).collect::<Vec<_>>() {
            within(SOON, delivered).await.unwrap().unwrap();
        }
    }
}

fn count(app: &Running, count: Count) -> u64 {
    app.metrics().get(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_finished_is_not_delivered_again() {
    #[reactor(topic = "lifecycle.finished")]
    fn finished(run: String, number: usize, seen: State<Seen>) -> () {
        seen.note(&run, number);
    }
    let config = cluster();
    create(&config, &["lifecycle.finished"], 4).await;
    let (raw, seen) = (Raw::new(&config), Seen::new());
    for round in 0..3 {
        let app = App::new("lifecycle.finished", config.clone()).state(seen.clone());
        let app = start(app.reactors(reactors![finished])).await;
        seen.send(&raw, "lifecycle.finished", round * 100..(round + 1) * 100).await;
        eventually(SOON, || seen.len() >= (round + 1) * 100).await;
        // Nothing is left to do, so the end does not take its 30 seconds.
        let stopping = Instant::now();
        within(SOON, app.shutdown()).await.unwrap();
        assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    }
    assert_eq!(seen.sorted(), (0..300).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_in_time_is_delivered_again() {
    struct Stuck(AtomicBool);
    #[reactor(topic = "lifecycle.unfinished")]
    async fn unfinished(run: String, number: usize, seen: State<Seen>, stuck: State<Stuck>) -> () {
        if number == 10 && stuck.0.load(SeqCst) {
            pending::<()>().await;
        }
        seen.note(&run, number);
    }
    let config = cluster().stop_limit(Duration::from_secs(2));
    create(&config, &["lifecycle.unfinished"], 1).await;
    let (raw, seen) = (Raw::new(&config), Seen::new());
    let app = App::new("lifecycle.unfinished", config.clone())
        .state(seen.clone())
        .state(Stuck(AtomicBool::new(true)));
    let app = start(app.reactors(reactors![unfinished])).await;
    seen.send(&raw, "lifecycle.unfinished", 0..20).await;
    eventually(SOON, || seen.len() == 19).await;
    let stopping = Instant::now();
    within(SOON, app.shutdown()).await.unwrap();
    let took = stopping.elapsed();
    assert!((1500..4000).contains(&took.as_millis()), "{took:?}");

    let again = Seen { run: seen.run.clone(), numbers: Arc::default() };
    let app =
        App::new("lifecycle.unfinished", config).state(again.clone()).state(Stuck(AtomicBool::new(false)));
    let app = start(app.reactors(reactors![unfinished])).await;
    again.send(&raw, "lifecycle.unfinished", [20]).await;
    eventually(SOON, || again.sorted().last() == Some(&20) && again.sorted().first() == Some(&10)).await;
    // What came before the stuck one is not seen again; what was finished behind it may be, but once.
    let numbers = again.sorted();
    assert!(numbers.iter().all(|number| (10..=20).contains(number)), "{numbers:?}");
    assert!(numbers.is_sorted_by(|one, two| one < two), "{numbers:?}");
    within(SOON, app.shutdown()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_what_runs_end() {
    struct Gate {
        run: String,
        permits: Arc<Semaphore>,
        running: Arc<AtomicBool>,
    }
    #[reactor(topic = "lifecycle.ends")]
    async fn ends(run: String, gate: State<Gate>) -> String {
        if run == gate.run {
            gate.running.store(true, SeqCst);
            gate.permits.acquire().await.unwrap().forget();
        }
        "done".to_owned()
    }
    let config = cluster();
    let (run, permits, running) =
        (unique("run"), Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let gate = Gate { run: run.clone(), permits: permits.clone(), running: running.clone() };
    let app = start(App::new("lifecycle.ends", config.clone()).state(gate).reactors(reactors![ends])).await;
    let pipeline = Pipeline::connect("ends", config).await.unwrap();
    let asked = tokio::spawn(pipeline.ask::<ends>((&run,)).into_future());
    eventually(SOON, || running.load(SeqCst)).await;
    let stopping = tokio::spawn(app.shutdown());
    // What comes now is for the next one.
    pipeline.send::<ends>((&run,)).await.unwrap();
    assert!(!stopping.is_finished());
    permits.add_permits(1);
    assert_eq!(within(SOON, asked).await.unwrap().unwrap(), "done");
    within(SOON, stopping).await.unwrap().unwrap();
    assert_eq!(permits.available_permits(), 0);
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_do_not_notice_each_other() {
    #[reactor(topic = "lifecycle.left")]
    fn left(name: State<String>) -> String {
        name.to_string()
    }
    #[reactor(topic = "lifecycle.right")]
    fn right(name: State<String>) -> String {
        name.to_string()
    }
    let (config, other) = (cluster(), cluster());
    let one = App::new("lifecycle.one", config.clone()).state("one".to_owned()).reactors(reactors![left]);
    let two = App::new("lifecycle.two", other.clone()).state("two".to_owned()).reactors(reactors![right]);
    let (one, two) = tokio::join!(start(one), start(two));
    let pipeline = Pipeline::connect("one", config).await.unwrap();
    let other = Pipeline::connect("two", other).await.unwrap();
    for _ in 0..3 {
        assert_eq!(pipeline.ask::<left>(()).await.unwrap(), "one");
    }
    assert_eq!(other.ask::<right>(()).await.unwrap(), "two");
    eventually(SOON, || count(&one, Count::Replies) == 3 && count(&two, Count::Replies) == 1).await;
    assert_eq!((count(&one, Count::Succeeded), count(&two, Count::Succeeded)), (3, 1));
    assert_eq!((pipeline.metrics().get(Count::Requests), other.metrics().get(Count::Requests)), (3, 1));
    one.shutdown().await.unwrap();
    pipeline.close().await.unwrap();
    assert_eq!(other.ask::<right>(()).await.unwrap(), "two");
    other.close().await.unwrap();
    two.shutdown().await.unwrap();
}

/// Two instances share the partitions; when one leaves, the other goes on where it stopped.
#[tokio::test(flavor = "multi_thread")]
async fn instances_of_one_app_share_its_work() {
    #[reactor(topic = "lifecycle.shared")]
    async fn shared(run: String, number: usize, seen: State<Seen>) -> () {
        tokio::task::yield_now().await;
        seen.note(&run, number);
    }
    let config = cluster();
    create(&config, &["lifecycle.shared"], 4).await;
    let (raw, seen) = (Raw::new(&config), Seen::new());
    let instance = || {
        let app = App::new("lifecycle.shared", config.clone()).state(seen.clone());
        start(app.reactors(reactors![shared]))
    };
    let first = instance().await;
    seen.send(&raw, "lifecycle.shared", 0..200).await;
    let second = instance().await;
    seen.send(&raw, "lifecycle.shared", 200..400).await;
    eventually(SOON, || seen.len() >= 400).await;
    assert!(count(&second, Count::Assigned) > 0 && count(&first, Count::Revoked) > 0);
    within(SOON, first.shutdown()).await.unwrap();
    seen.send(&raw, "lifecycle.shared", 400..500).await;
    eventually(SOON, || seen.len() >= 500).await;
    // All ended well, and every partition was given back when its records were committed: nothing came twice.
    assert_eq!(seen.sorted(), (0..500).collect::<Vec<_>>());
    within(SOON, second.shutdown()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_blocks_its_thread_is_counted() {
    struct Gate(Mutex<mpsc::Receiver<()>>);
    #[reactor(topic = "lifecycle.blocks")]
    fn blocks(gate: State<Gate>) -> () {
        let _ = gate.0.lock().unwrap().recv();
    }
    let config = cluster();
    let (open, gate) = mpsc::channel();
    let app = App::new("lifecycle.blocks", config.clone()).state(Gate(Mutex::new(gate)));
    let app = start(app.reactors(reactors![blocks])).await;
    let pipeline = Pipeline::connect("blocks", config).await.unwrap();
    let asked = tokio::spawn(pipeline.ask::<blocks>(()).into_future());
    eventually(SOON, || count(&app, Count::Blocked) == 1).await;
    open.send(()).unwrap();
    within(SOON, asked).await.unwrap().unwrap();
    assert_eq!(count(&app, Count::Blocked), 1);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// The embedded broker's faults, which no other broker has.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_counted_and_repeated() {
    #[reactor(topic = "lifecycle.commits")]
    fn commits(run: String, number: usize, seen: State<Seen>) -> () {
        seen.note(&run, number);
    }
    if on_real() {
        return;
    }
    let config = cluster();
    create(&config, &["lifecycle.commits"], 1).await;
    let (raw, seen) = (Raw::new(&config), Seen::new());
    let instance = || {
        let app = App::new("lifecycle.commits", config.clone()).state(seen.clone());
        start(app.reactors(reactors![commits]))
    };
    let app = instance().await;
    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED; 2];
    config.embedded_broker().unwrap().request_errors(RDKafkaApiKey::OffsetCommit, &refused);
    seen.send(&raw, "lifecycle.commits", 0..10).await;
    eventually(SOON, || count(&app, Count::CommitFailures) == 2).await;
    within(SOON, app.shutdown()).await.unwrap();
    let app = instance().await;
    seen.send(&raw, "lifecycle.commits", [10]).await;
    eventually(SOON, || seen.sorted().last() == Some(&10)).await;
    assert_eq!(seen.sorted(), (0..=10).collect::<Vec<_>>());
    within(SOON, app.shutdown()).await.unwrap();
}

/// A graph that has asked gets its answers after the app was told to stop: its way back stays open until then.
#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_graphs_end() {
    #[contract(topic = "lifecycle.graph.asked")]
    fn asked(run: String) -> i64;
    #[reactor(topic = "lifecycle.graph", deps! < one: asked(run) >)]
    async fn graph(run: String, one: i64) -> i64 {
        drop(run);
        one + 1
    }
    let config = cluster();
    let (mut requests, raw) = (Tail::at_end(&config, "lifecycle.graph.asked").await, Raw::new(&config));
    let app = start(App::new("lifecycle.graph", config.clone()).reactors(reactors![graph])).await;
    let pipeline = Pipeline::connect("graph", config).await.unwrap();
    let question = tokio::spawn(pipeline.ask::<graph>((unique("run"),)).into_future());
    let request = requests.one().await;
    let mut stopping = tokio::spawn(app.shutdown());
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut stopping).await.is_err(), "it runs still");
    let reply = Record::to(request.text("kafka_replyTopic")).value("1");
    raw.send(reply.header("kafka_correlationId", request.get("kafka_correlationId"))).await;
    assert_eq!(within(SOON, question).await.unwrap().unwrap(), 2);
    let began = Instant::now();
    within(SOON, stopping).await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    pipeline.close().await.unwrap();
}
