//! Records that are given up: how often they are tried, what their caller hears, and what is kept of them.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use common::{Raw, Record, SOON, Tail, cluster, create, create_with, eventually, start, unique};
use fusion::{Code, Count, prelude::*};
use serde_json::json;

/// How often a handler ran.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn one(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_decode_is_kept_as_it_came() {
    #[reactor(topic = "dead.bytes")]
    fn bytes(number: i64, runs: State<Runs>) -> i64 {
        runs.one();
        number
    }
    let (config, runs) = (cluster(), Runs::default());
    let (raw, mut letters) = (Raw::new(&config), Tail::at_end(&config, "dead.bytes.dlq").await);
    create(&config, &["dead.bytes"], 4).await;
    let app = App::new("dead.bytes", config).state(runs.clone());
    let app = start(app.reactors(reactors![bytes])).await;
    let record = Record::to("dead.bytes")
        .key([0xff, 0x00, b'k'])
        .value([0xff, 0xfe, b'{'])
        .header("plain", "text")
        .header("twice", "1")
        .header("bytes", [0xc3, 0x28])
        .null_header("null")
        .header("twice", "2")
        .partition(3)
        .timestamp(1_700_000_000_123);
    let (partition, offset) = raw.send(record.clone()).await;
    let letter = letters.one().await;
    assert_eq!((&letter.key, &letter.value), (&record.key, &record.value));
    assert_eq!(letter.timestamp, record.timestamp);
    assert_eq!(letter.headers[..5], record.headers);
    let spring: Vec<(&str, &[u8])> =
        letter.headers[5..].iter().map(|(name, value)| (name.as_str(), value.as_deref().unwrap())).collect();
    let (name, message) = *spring.last().unwrap();
    assert_eq!(
        (name, std::str::from_utf8(message).unwrap().is_empty()),
        ("kafka_dlt-exception-message", false)
    );
    assert_eq!(
        spring[..7],
        [
            ("kafka_dlt-original-topic", &b"dead.bytes"[..]),
            ("kafka_dlt-original-partition", &[0, 0, 0, 3]),
            ("kafka_dlt-original-offset", &offset.to_be_bytes()),
            ("kafka_dlt-original-timestamp", &[0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b]),
            ("kafka_dlt-original-timestamp-type", b"CreateTime"),
            ("kafka_dlt-original-consumer-group", b"dead.bytes"),
            ("kafka_dlt-exception-fqcn", b"decode"),
        ]
    );
    assert_eq!((partition, runs.count()), (3, 0));
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 1).await;
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Undecodable), metrics.get(Count::Retries)), (1, 0));
    assert_eq!(metrics.get(Count::Failed), 1);
    app.shutdown().await.unwrap();
}

/// Topics may allow timestamps that others refuse, and those refuse them again each time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_far_ahead_is_passed_on_with_a_timestamp_that_brokers_take() {
    #[reactor(topic = "dead.ahead", to = "dead.ahead.to", retry = 0)]
    fn ahead(number: i64) -> Result<i64, String> {
        if number < 0 { Err("negative".into()) } else { Ok(number) }
    }
    const HOUR: i64 = 3_600_000;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let config = cluster();
    let allowed = [("message.timestamp.after.max.ms", &*i64::MAX.to_string())];
    create_with(&config, "dead.ahead", 4, &allowed).await;
    let (raw, mut letters) = (Raw::new(&config), Tail::at_end(&config, "dead.ahead.dlq").await);
    let mut sent = Tail::at_end(&config, "dead.ahead.to").await;
    let app = start(App::new("dead.ahead", config).reactors(reactors![ahead])).await;
    let (far, near) = (now() + 30 * HOUR, now() + HOUR / 2);
    for (number, outcomes) in [("-1", &mut letters), ("1", &mut sent)] {
        for timestamp in [far, near] {
            let before = now();
            raw.send(Record::to("dead.ahead").key("k").value(number).timestamp(timestamp)).await;
            let outcome = outcomes.one().await;
            let passed_on = outcome.timestamp.unwrap();
            if timestamp == near {
                assert_eq!(passed_on, near);
            } else {
                assert!(before < passed_on && passed_on < now() + HOUR, "{passed_on}");
            }
            if number == "-1" {
                assert_eq!(outcome.get("kafka_dlt-original-timestamp"), timestamp.to_be_bytes());
            }
        }
    }
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_a_wrong_shape_are_never_tried() {
    #[reactor(topic = "dead.shapes")]
    fn shapes(name: String, number: i64, rest: Option<bool>, runs: State<Runs>) -> () {
        drop((name, number, rest));
        runs.one();
    }
    let (config, runs) = (cluster(), Runs::default());
    let (raw, inbox) = (Raw::new(&config), unique("dead.inbox"));
    let mut letters = Tail::at_end(&config, "dead.shapes.dlq").await;
    let mut replies = Tail::at_end(&config, &inbox).await;
    create(&config, &["dead.shapes"], 1).await;
    let app = App::new("dead.shapes", config).state(runs.clone());
    let app = start(app.reactors(reactors![shapes])).await;
    let deep = "[".repeat(100_000);
    let wrong: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"{}",
        b"[]",
        b"null",
        b"[\"a\"]",
        b"[1, \"a\"]",
        b"[\"a\", 1.5]",
        b"[\"a\", 9223372036854775808]",
        b"[\"a\", 1, true, null]",
        b"[\"a\", 1, \"b\"]",
        b"[\"a\", 1]]",
        b"[\"a\", 1] [\"a\", 1]",
        b"[\"\xff\", 1]",
        b"[\"\\ud800\", 1]",
        deep.as_bytes(),
    ];
    let request = |value: Option<&[u8]>| {
        let request = Record::to("dead.shapes").header("kafka_replyTopic", &*inbox);
        Record { value: value.map(<[u8]>::to_vec), ..request }.header("kafka_correlationId", [7])
    };
    // And a tombstone.
    for value in wrong.iter().copied().map(Some).chain([None]) {
        raw.send(request(value)).await;
        let letter = letters.one().await;
        let told = String::from_utf8_lossy(value.unwrap_or(b"tombstone"));
        assert_eq!(letter.value.as_deref(), value, "{told}");
        assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "decode", "{told}");
        let reply = replies.one().await;
        assert_eq!((reply.text("fusion-error"), reply.get("kafka_correlationId")), ("decode", &[7][..]));
        assert_eq!(reply.json()["retryable"], false, "{told}");
        assert_eq!(reply.json()["message"], letter.text("kafka_dlt-exception-message"));
    }
    assert_eq!(runs.count(), 0);
    for right in ["[\"a\",1]", "[\"a\",-9223372036854775808,null]", " [ \"\\u0000\" , 1 , true ] \n"] {
        raw.send(request(Some(right.as_bytes()))).await;
        assert_eq!(replies.one().await.value.as_deref(), Some(&b"null"[..]), "{right}");
    }
    let metrics = app.metrics();
    let refused = wrong.len() as u64 + 1;
    assert_eq!((metrics.get(Count::Undecodable), metrics.get(Count::Failed)), (refused, refused));
    assert_eq!((metrics.get(Count::Retries), runs.count()), (0, 3));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_repeated_then_given_up() {
    #[derive(Clone, Default)]
    struct Attempts(Arc<Mutex<Vec<u32>>>);
    #[reactor(topic = "dead.errors", retry = 2)]
    async fn errors(fails: u32, cx: Context, attempts: State<Attempts>) -> Result<u32, String> {
        attempts.0.lock().unwrap().push(cx.attempt());
        if cx.attempt() <= fails { Err(format!("attempt {}", cx.attempt())) } else { Ok(cx.attempt()) }
    }
    /// It passes on what it was told by somebody it asked; its own caller still waits.
    #[reactor(topic = "dead.errors.late")]
    fn late() -> Result<(), Failure> {
        Err(Failure::new(Code::Deadline, "somebody else's"))
    }
    let (config, attempts) = (cluster(), Attempts::default());
    let mut letters = Tail::at_end(&config, "dead.errors.dlq").await;
    let app = App::new("dead.errors", config.clone()).state(attempts.clone());
    let app = start(app.reactors(reactors![errors, late])).await;
    let pipeline = Pipeline::connect("errors", config).await.unwrap();
    assert_eq!(pipeline.ask::<errors>((2,)).await.unwrap(), 3);
    let error = pipeline.ask::<errors>((3,)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (&Code::Handler, "attempt 3"));
    assert!(error.is_retryable());
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "handler");
    assert_eq!(letter.text("kafka_dlt-exception-message"), "attempt 3");
    assert_eq!(letter.json(), json!(3));
    // An event has the same retries, and nobody to tell.
    pipeline.send::<errors>((9,)).await.unwrap();
    assert_eq!(letters.one().await.json(), json!(9));
    assert_eq!(*attempts.0.lock().unwrap(), [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 2).await;
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Retries), metrics.get(Count::Failed)), (6, 2));
    assert_eq!((metrics.get(Count::Succeeded), metrics.get(Count::Replies)), (1, 2));
    let error = pipeline.ask::<late>(()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (&Code::Deadline, "somebody else's"));
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 3).await;
    assert_eq!(app.metrics().get(Count::Expired), 0);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_like_others() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    struct Unwritable;
    impl serde::Serialize for Unwritable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("in a reply")
        }
    }
    #[reactor(topic = "dead.panics.sync", retry = 1)]
    fn sync(how: String) -> String {
        if how == "any" {
            std::panic::panic_any(7);
        }
        panic!("{how}")
    }
    #[reactor(topic = "dead.panics.pending", retry = 1)]
    async fn later(how: String) -> String {
        tokio::task::yield_now().await;
        if how == "drop" {
            let _bomb = Bomb;
            tokio::task::yield_now().await;
            return how;
        }
        panic!("{how}")
    }
    #[reactor(topic = "dead.panics.reply", retry = 1)]
    async fn unwritable() -> Unwritable {
        Unwritable
    }
    let config = cluster();
    let mut letters = Tail::at_end(&config, "dead.panics.sync.dlq").await;
    let app = App::new("dead.panics", config.clone()).reactors(reactors![sync, later, unwritable]);
    let app = start(app).await;
    let pipeline = Pipeline::connect("panics", config).await.unwrap();
    let panics = [
        ("sync", "here", "the handler panicked: here"),
        ("sync", "any", "the handler panicked: (no text)"),
        ("pending", "later", "the handler panicked: later"),
        ("pending", "drop", "the handler panicked: in a drop"),
        ("reply", "", "the handler panicked: in a reply"),
    ];
    for (topic, how, message) in panics {
        let error = pipeline.ask_value(format!("dead.panics.{topic}"), json!(how)).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (&Code::Panic, message));
    }
    assert_eq!(letters.one().await.text("kafka_dlt-exception-fqcn"), "panic");
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 5).await;
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Panics), metrics.get(Count::Retries)), (10, 5), "two runs of each");
    assert_eq!(metrics.get(Count::Failed), 5);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// What came in may be more than this app may send. It is told from where it came, and nothing stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_too_large_goes_without_what_is_too_large() {
    #[reactor(topic = "dead.large", retry = 0)]
    fn large(fail: bool) -> Result<(), String> {
        if fail { Err("failed".into()) } else { Ok(()) }
    }
    let config = cluster().largest_value(1000).largest_headers(1000);
    let (raw, inbox) = (Raw::new(&config), unique("dead.inbox"));
    let mut letters = Tail::at_end(&config, "dead.large.dlq").await;
    let mut replies = Tail::at_end(&config, &inbox).await;
    create(&config, &["dead.large"], 1).await;
    let app = start(App::new("dead.large", config).reactors(reactors![large])).await;
    let much = vec![b' '; 2000];
    let request = |id: &str| {
        let request = Record::to("dead.large").header("kafka_correlationId", id);
        request.header("kafka_replyTopic", &*inbox).value("true")
    };
    let (_, first) = raw.send(request("value").key("k").value([&*much, b"true"].concat())).await;
    raw.send(request("headers").key("k").header("much", &*much)).await;
    raw.send(request("key").key(&*much)).await;
    raw.send(request("fine").key(&*much).value("false")).await;
    let mut told = letters.take(3).await;
    told.sort_by_key(|letter| letter.get("kafka_dlt-original-offset").to_vec());
    for (at, (letter, id)) in told.iter().zip(["value", "headers", "key"]).enumerate() {
        let offset = (first + at as i64).to_be_bytes();
        assert_eq!(letter.get("kafka_dlt-original-offset"), offset, "{id}");
        assert_eq!(letter.text("kafka_dlt-exception-message"), "failed", "{id}");
        assert_eq!(
            (letter.key.as_deref(), &letter.value),
            ((id != "key").then_some(&b"k"[..]), &None),
            "{id}"
        );
    }
    let mut answered = BTreeMap::new();
    for reply in replies.take(4).await {
        answered.insert(reply.text("kafka_correlationId").to_owned(), reply.has("fusion-error"));
    }
    let expected = [("fine", false), ("headers", true), ("key", true), ("value", true)];
    assert_eq!(answered, expected.map(|(id, failed)| (id.to_owned(), failed)).into());
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 3).await;
    app.shutdown().await.unwrap();
}
