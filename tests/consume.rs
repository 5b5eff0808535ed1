//! What a consumer does when a handler or a broker does not do what it should. The broker is the one inside the
//! process, which can be made to fail.

mod common;

use std::{
    future::{pending, poll_fn},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::{Duration, Instant},
};

use common::{Raw, Record, SOON, Tail, create, eventually, start, within};
use fusion::{Count, EmbeddedKafka, GroupProtocol, prelude::*};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use serde_json::json;
use tokio::sync::Notify;

fn embedded() -> (Arc<EmbeddedKafka>, Config) {
    let broker = Arc::new(EmbeddedKafka::start().unwrap());
    (broker.clone(), Config::with_embedded(broker))
}

/// What a group has committed for the first partition of a topic.
fn committed(config: &Config, group: &str, topic: &str) -> Option<i64> {
    let client: BaseConsumer = config.assigned_consumer(group).unwrap().create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    match client.committed_offsets(list, SOON).unwrap().elements()[0].offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_key_keeps_no_permit_from_other_partitions() {
    #[reactor(topic = "consume.permits", concurrency = 2)]
    async fn handle(waits: bool) {
        if waits {
            pending().await
        }
    }

    let (_, config) = embedded();
    let config = config.stop_limit(Duration::from_millis(100));
    create(&config, &["consume.permits"], 2).await;
    let app = App::new("permits", config.clone());
    let (raw, app) = (Raw::new(&config), start(app.reactors(reactors![handle])).await);
    let to = |partition, value: &str| Record::to("consume.permits").partition(partition).value(value);
    // One of them runs, the other waits for it.
    for _ in 0..2 {
        raw.send(to(0, "true").key("slow")).await;
    }
    eventually(SOON, || app.metrics().get(Count::Records) == 2).await;
    // The other partition needs the second permit.
    raw.send(to(1, "false")).await;
    eventually(Duration::from_secs(5), || app.metrics().get(Count::Succeeded) == 1).await;
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_started_last_is_polled() {
    #[reactor(topic = "consume.twice", retry = 0)]
    async fn handle(number: u64, gate: State<Arc<Notify>>) -> u64 {
        if number == 0 {
            gate.notified().await;
            return number;
        }
        // Ends when it is polled a second time, and wakes nobody before.
        let mut polled = false;
        poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        number
    }

    let (_, config) = embedded();
    create(&config, &["consume.twice", "consume.twice.dlq"], 1).await;
    let mut letters = Tail::at_start(&config, "consume.twice.dlq").await;
    let gate = Arc::new(Notify::new());
    let app = App::new("twice", config.clone()).state(gate.clone()).reactors(reactors![handle]);
    let (raw, app) = (Raw::new(&config), start(app).await);
    // All wait for the first. Then each starts when the end of the one before has made room, and nothing else comes
    // that would have the last one polled.
    for value in ["0", "1", "no number"] {
        raw.send(Record::to("consume.twice").key("one").value(value)).await;
    }
    eventually(SOON, || app.metrics().get(Count::Records) == 3).await;
    gate.notify_one();
    let letter = within(Duration::from_secs(5), letters.one()).await;
    assert_eq!(letter.value.as_deref(), Some(&b"no number"[..]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_dropped_when_a_stop_is_out_of_time() {
    struct Alive(Arc<AtomicUsize>);

    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    #[reactor(topic = "consume.pending")]
    async fn handle(alive: State<Arc<AtomicUsize>>) {
        alive.fetch_add(1, SeqCst);
        let _alive = Alive(Arc::clone(&alive));
        pending().await
    }

    let (_, config) = embedded();
    let config = config.stop_limit(Duration::from_secs(1));
    create(&config, &["consume.pending"], 1).await;
    let alive = Arc::new(AtomicUsize::new(0));
    let app = App::new("pending", config.clone()).state(alive.clone()).reactors(reactors![handle]);
    let (raw, app) = (Raw::new(&config), start(app).await);
    for _ in 0..3 {
        raw.send(Record::to("consume.pending").value("null")).await;
    }
    eventually(SOON, || alive.load(SeqCst) == 3).await;
    let began = Instant::now();
    app.shutdown().await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    eventually(Duration::from_secs(2), || alive.load(SeqCst) == 0).await;
    assert_eq!(committed(&config, "pending", "consume.pending").unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_panics_when_it_is_given_up_does_not_end_its_partition() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("a bomb");
            }
        }
    }

    #[reactor(topic = "consume.bomb", retry = 0, within = 100ms)]
    async fn handle(harmless: bool) -> bool {
        if !harmless {
            let _bomb = Bomb;
            pending::<()>().await;
        }
        harmless
    }

    let (_, config) = embedded();
    create(&config, &["consume.bomb"], 1).await;
    let app = start(App::new("bomb", config.clone()).reactors(reactors![handle])).await;
    let raw = Raw::new(&config);
    raw.send(Record::to("consume.bomb").value("false")).await;
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 1).await;
    raw.send(Record::to("consume.bomb").value("true")).await;
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 1).await;
    app.shutdown().await.unwrap();
    assert_eq!(committed(&config, "bomb", "consume.bomb"), Some(2));
}

/// A number that cannot be read if it is 13, as a payload or as a key.
#[derive(serde::Serialize)]
struct Lucky(u64);

impl<'de> serde::Deserialize<'de> for Lucky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Lucky, D::Error> {
        let number = u64::deserialize(deserializer)?;
        assert_ne!(number, 13, "no thirteen");
        Ok(Lucky(number))
    }
}

impl fusion::KeyBytes for Lucky {}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_reading_panics_is_given_up_and_does_not_end_its_partition() {
    #[reactor(topic = "consume.lucky", retry = 0)]
    fn handle(number: Lucky, key: Key<Lucky>) -> u64 {
        number.0 + key.0.0
    }

    let (_, config) = embedded();
    create(&config, &["consume.lucky", "consume.lucky.dlq"], 1).await;
    let mut letters = Tail::at_start(&config, "consume.lucky.dlq").await;
    let app = start(App::new("lucky", config.clone()).reactors(reactors![handle])).await;
    let raw = Raw::new(&config);
    for (key, value) in [("1", "13"), ("13", "1"), ("1", "1")] {
        raw.send(Record::to("consume.lucky").key(key).value(value)).await;
    }
    for (part, code) in [("payload", "decode"), ("key", "panic")] {
        let letter = letters.one().await;
        assert_eq!(letter.text("kafka_dlt-exception-fqcn"), code, "{part}");
        let message = letter.text("kafka_dlt-exception-message");
        assert!(message.contains("panicked") && message.contains("no thirteen"), "{part}: {message}");
    }
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 1).await;
    app.shutdown().await.unwrap();
    assert_eq!(committed(&config, "lucky", "consume.lucky"), Some(3));
}

#[reactor(topic = "consume.plain")]
fn plain(number: u64) -> u64 {
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_is_repeated_though_nothing_new_comes() {
    let (broker, config) = embedded();
    create(&config, &["consume.plain"], 1).await;
    let app = start(App::new("commits", config.clone()).reactors(reactors![plain])).await;
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE;
    broker.request_errors(RDKafkaApiKey::OffsetCommit, &[error]);
    Raw::new(&config).send(Record::to("consume.plain").value("1")).await;
    eventually(SOON, || app.metrics().get(Count::CommitFailures) == 1).await;
    eventually(SOON, || committed(&config, "commits", "consume.plain") == Some(1)).await;
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_is_repeated_before_a_stop() {
    let (broker, config) = embedded();
    create(&config, &["consume.plain"], 1).await;
    let app = start(App::new("last", config.clone()).reactors(reactors![plain])).await;
    Raw::new(&config).send(Record::to("consume.plain").value("1")).await;
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 1).await;
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE;
    broker.request_errors(RDKafkaApiKey::OffsetCommit, &[error]);
    app.shutdown().await.unwrap();
    assert_eq!(committed(&config, "last", "consume.plain"), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_what_the_group_has_not_said() {
    tokio::join!(
        stop_before_the_offsets(GroupProtocol::Classic),
        stop_before_the_offsets(GroupProtocol::Consumer)
    );
}

async fn stop_before_the_offsets(protocol: GroupProtocol) {
    let (broker, config) = embedded();
    let config = config.group_protocol(protocol);
    create(&config, &["consume.plain"], 1).await;
    // The member is given partitions and does not learn where to begin.
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    broker.request_errors(RDKafkaApiKey::OffsetFetch, &[error; 500]);
    let app = App::new("unsaid", config).reactors(reactors![plain]).start().await.unwrap();
    // Nothing tells from outside that the assignment has come.
    let assigned = tokio::time::timeout(Duration::from_secs(2), app.assigned()).await;
    assert!(assigned.is_err());
    let began = Instant::now();
    app.shutdown().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

/// The whole process must be able to end: what is left behind may not hold the runtime.
#[test]
fn a_stop_ends_in_time_when_the_broker_is_away() {
    let (broker, config) = embedded();
    let config = config.stop_limit(Duration::from_secs(2));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let began = runtime.block_on(async {
        create(&config, &["consume.plain"], 1).await;
        let app = start(App::new("away", config.clone()).reactors(reactors![plain])).await;
        let pipeline = Pipeline::connect("away", config).await.unwrap();
        assert_eq!(pipeline.ask::<plain>((1,)).await.unwrap(), 1);
        broker.broker_down().unwrap();
        let began = Instant::now();
        let (stopped, closed) = tokio::join!(app.shutdown(), pipeline.close());
        stopped.unwrap();
        drop(closed);
        began
    });
    drop(runtime);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_handler_that_blocks_is_bounded_in_bytes() {
    #[reactor(topic = "consume.bytes")]
    fn handle(filling: String, gate: State<Arc<(Mutex<bool>, Condvar)>>) -> usize {
        let open = gate.0.lock().unwrap();
        drop(gate.1.wait_while(open, |open| !*open).unwrap());
        filling.len()
    }

    const RECORDS: u64 = 45;
    let (_, config) = embedded();
    let config = config.fetch_buffer(1024 * 1024);
    create(&config, &["consume.bytes"], 1).await;
    let raw = Raw::new(&config);
    // All that a partition of the embedded broker keeps.
    let filling = format!("\"{}\"", "x".repeat(100_000));
    let sent: Vec<_> =
        (0..RECORDS).map(|_| raw.queue(&Record::to("consume.bytes").value(&*filling))).collect();
    for sent in sent {
        sent.await.unwrap().unwrap();
    }
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let app = App::new("bytes", config.clone()).state(gate.clone()).reactors(reactors![handle]);
    let app = start(app).await;
    eventually(SOON, || app.metrics().get(Count::Pauses) == 1).await;
    // One buffer at once on top of what may be held.
    let taken = app.metrics().get(Count::Records);
    assert!((1..=35).contains(&taken), "{taken} records of 100 kB");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    eventually(SOON, || app.metrics().get(Count::Succeeded) == RECORDS).await;
    app.shutdown().await.unwrap();
    assert_eq!(committed(&config, "bytes", "consume.bytes"), Some(RECORDS as i64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_handler_does_after_its_partition_has_gone_is_dropped() {
    /// Blocks the thread, in one member only.
    struct Gate {
        closed: bool,
        begun: AtomicUsize,
        open: Mutex<bool>,
        opens: Condvar,
    }

    #[reactor(topic = "consume.overlap", retry = 0)]
    fn handle(number: u64, gate: State<Arc<Gate>>) -> Result<u64, &'static str> {
        gate.begun.fetch_add(1, SeqCst);
        if !gate.closed {
            return Ok(number);
        }
        let open = gate.open.lock().unwrap();
        drop(gate.opens.wait_while(open, |open| !*open).unwrap());
        Err("too late")
    }

    let (_, config) = embedded();
    let config = config.revoke_limit(Duration::from_millis(200));
    create(&config, &["consume.overlap", "consume.overlap.dlq", "overlap.replies"], 2).await;
    let mut replies = Tail::at_start(&config, "overlap.replies").await;
    let mut letters = Tail::at_start(&config, "consume.overlap.dlq").await;
    let member = |closed| {
        let (begun, open, opens) = (AtomicUsize::new(0), Mutex::new(false), Condvar::new());
        let gate = Arc::new(Gate { closed, begun, open, opens });
        (App::new("overlap", config.clone()).state(gate.clone()).reactors(reactors![handle]), gate)
    };
    let (first, gate) = member(true);
    let (raw, first) = (Raw::new(&config), start(first).await);
    for partition in [0, 1] {
        let request = Record::to("consume.overlap").partition(partition).value(partition.to_string());
        raw.send(request.header("kafka_replyTopic", "overlap.replies")).await;
    }
    // One handler in each of two partitions, and one of these goes to somebody else.
    eventually(SOON, || gate.begun.load(SeqCst) == 2).await;
    let (second, _) = member(false);
    let second = start(second).await;
    eventually(SOON, || second.metrics().get(Count::Succeeded) == 1).await;
    let answered = replies.one().await.json();
    assert_eq!(first.metrics().get(Count::Overlaps), 1);
    assert_eq!(first.metrics().get(Count::Fenced), 0);

    *gate.open.lock().unwrap() = true;
    gate.opens.notify_all();
    eventually(SOON, || first.metrics().get(Count::Fenced) == 1).await;
    // What the first has kept, it answers, and nothing else.
    let letter = letters.one().await;
    assert_eq!(letter.json(), json!(1 - answered.as_u64().unwrap()));
    let kept = replies.one().await;
    assert_eq!(kept.json()["message"], "too late");
    let failed = first.metrics().get(Count::Failed);
    second.shutdown().await.unwrap();
    first.shutdown().await.unwrap();
    assert_eq!((replies.rest(), letters.rest()), (vec![], vec![]));
    assert_eq!(failed, 1);
}
