//! What a caller writes: ids, deadlines and hops of one attempt after the other.

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Raw, Record, SOON, Tail, cluster, create, eventually, start, unique, within};
use fusion::{Code, Contract, Count, prelude::*};
use serde_json::json;

/// Now, as deadlines are written.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn number(record: &Record, header: &str) -> u64 {
    record.text(header).parse().unwrap()
}

/// An answer from some other program.
fn reply(to: &Record, value: impl Into<Vec<u8>>) -> Record {
    Record::to(to.text("kafka_replyTopic"))
        .header("kafka_correlationId", to.get("kafka_correlationId"))
        .value(value)
}

fn error_reply(to: &Record, code: &str, retryable: bool) -> Record {
    let body = json!({"code": code, "message": "not now", "topic": "elsewhere", "retryable": retryable});
    reply(to, body.to_string()).header("fusion-error", code)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_a_time_out_has_the_same_id() {
    #[contract(topic = "attempts.silent")]
    pub fn silent(number: i64) -> i64;

    let config = cluster();
    let (mut tail, raw) = (Tail::at_end(&config, silent::TOPIC).await, Raw::new(&config));
    let pipeline = Pipeline::connect("silent", config).await.unwrap();
    let began = now();
    let asked = pipeline.ask::<silent>((1,)).within(Duration::from_secs(3)).retry(2);
    let asked = tokio::spawn(asked.into_future());
    let first = tail.one().await;
    let second = tail.one().await;
    let third = tail.one().await;
    let ids = [&first, &second, &third].map(|record| record.text("kafka_correlationId").to_owned());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // Each attempt says how long *it* is waited for: a third of the time, of which the last one has the rest.
    let deadlines = [&first, &second, &third].map(|record| number(record, "fusion-deadline"));
    assert!((began + 1000..began + 2000).contains(&deadlines[0]), "{deadlines:?} since {began}");
    assert!(deadlines[1] >= deadlines[0] + 1000 && deadlines[1] < deadlines[2], "{deadlines:?}");
    assert!((began + 3000..began + 4000).contains(&deadlines[2]), "{deadlines:?} since {began}");

    // Both answers are to the one question. It is answered once.
    raw.send(reply(&first, "11")).await;
    raw.send(reply(&third, "33")).await;
    assert_eq!(within(SOON, asked).await.unwrap().unwrap(), 11);
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 1).await;
    assert_eq!(pipeline.metrics().get(Count::Requests), 3);

    // Nobody answers: that is the end, and a late answer is counted.
    let asked = pipeline.ask::<silent>((2,)).within(Duration::from_millis(100)).retry(1);
    let error = asked.await.unwrap_err();
    assert_eq!((error.code(), error.topic()), (&Code::Timeout, silent::TOPIC));
    // Two attempts, or one if this machine stood still for as long as the first may take.
    let attempts = pipeline.metrics().get(Count::Requests) - 3;
    let late = tail.take(attempts.try_into().unwrap()).await;
    raw.send(reply(late.last().unwrap(), "22")).await;
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 2).await;
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_an_error_is_a_new_question() {
    #[contract(topic = "attempts.failing")]
    pub fn failing(number: i64) -> i64;

    let config = cluster();
    let (mut tail, raw) = (Tail::at_end(&config, failing::TOPIC).await, Raw::new(&config));
    let pipeline = Pipeline::connect("failing", config).await.unwrap();
    let asked = tokio::spawn(pipeline.ask::<failing>((1,)).retry(3).into_future());
    let first = tail.one().await;
    raw.send(error_reply(&first, "busy", true)).await;
    let second = tail.one().await;
    assert_ne!(first.get("kafka_correlationId"), second.get("kafka_correlationId"));
    assert_eq!((&first.value, &first.key), (&second.value, &second.key));
    // The answer to the first question comes too late; it must not be taken for the second one's.
    raw.send(reply(&first, "10")).await;
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 1).await;
    assert!(!asked.is_finished());
    raw.send(error_reply(&second, "sold_out", false)).await;
    let error = within(SOON, asked).await.unwrap().unwrap_err();
    assert_eq!((error.code().as_str(), error.message()), ("sold_out", "not now"));
    assert_eq!((error.topic(), error.is_retryable()), ("elsewhere", false));
    assert_eq!(pipeline.metrics().get(Count::Requests), 2, "it said that it cannot be repeated");
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hops_and_deadlines_go_on_from_request_to_request() {
    #[contract(topic = "attempts.leaf")]
    pub fn leaf(number: i64) -> i64;
    #[reactor(topic = "attempts.middle", retry = 0, deps! < answer: "attempts.leaf"(number); quick: leaf(0) within 1s >)]
    async fn middle(number: i64, cx: Context, answer: i64, quick: i64) -> (i64, u32) {
        (number + answer + quick, cx.hops())
    }

    let config = cluster();
    create(&config, &[leaf::TOPIC], 1).await;
    let (mut asked_middle, mut asked_leaf) =
        (Tail::at_end(&config, middle::TOPIC).await, Tail::at_end(&config, leaf::TOPIC).await);
    let (raw, inbox) = (Raw::new(&config), unique("attempts.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let mut letters = Tail::at_end(&config, "attempts.middle.dlq").await;
    let app = start(App::new("attempts.middle", config.clone()).reactors(reactors![middle])).await;
    let pipeline = Pipeline::connect("hops", config).await.unwrap();

    let question = pipeline.ask::<middle>((5,)).within(Duration::from_secs(9));
    let question = tokio::spawn(question.into_future());
    let request = asked_middle.one().await;
    assert_eq!(request.text("fusion-hops"), "1");
    let mut requests = asked_leaf.take(2).await;
    requests.sort_by_key(|request| number(request, "fusion-deadline"));
    for request in &requests {
        assert_eq!(request.text("fusion-hops"), "2");
        raw.send(reply(request, request.value.clone().unwrap())).await;
    }
    // The caller's absolute deadline, and for the quick one a shorter one. Clocks are read in milliseconds.
    let (quick, slow) = (number(&requests[0], "fusion-deadline"), number(&requests[1], "fusion-deadline"));
    let callers = number(&request, "fusion-deadline");
    assert!(slow <= callers + 2 && slow + 50 > callers, "{slow} and {callers}");
    assert!(quick + 6000 < slow, "{quick} and {slow}");
    assert_eq!(within(SOON, question).await.unwrap().unwrap(), (10, 1));

    // As if it had gone through many services: the last one allowed, then one too many, then nonsense.
    let at = |hops: &str| {
        let id = format!("id {hops}");
        let request = Record::to(middle::TOPIC).value("1").header("fusion-hops", hops);
        request.header("kafka_replyTopic", &*inbox).header("kafka_correlationId", &*id)
    };
    raw.send(at("16")).await;
    for request in asked_leaf.take(2).await {
        assert_eq!(request.text("fusion-hops"), "17");
        raw.send(reply(&request, "1")).await;
    }
    assert_eq!(replies.one().await.json(), json!([3, 16]));
    for hops in ["17", "4294967295", "many"] {
        raw.send(at(hops)).await;
        let reply = replies.one().await;
        assert_eq!(reply.text("fusion-error"), "hops");
        assert_eq!(reply.text("kafka_correlationId"), format!("id {hops}"));
        assert_eq!(letters.one().await.text("kafka_dlt-exception-fqcn"), "hops");
    }
    assert_eq!(app.metrics().get(Count::TooManyHops), 3);
    assert_eq!(asked_leaf.rest(), []);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// No answer that nobody waits for: an expired request is dropped, one without a reply topic is not.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_request_is_dropped_and_counted() {
    #[reactor(topic = "attempts.expired")]
    fn expired(number: i64) -> i64 {
        number
    }
    let config = cluster();
    create(&config, &[expired::TOPIC], 1).await;
    let (raw, inbox) = (Raw::new(&config), unique("attempts.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = start(App::new("attempts.expired", config).reactors(reactors![expired])).await;
    let mut results = app.results::<expired>();
    let past = (now() - 1).to_string();
    let request = |number: &str| Record::to(expired::TOPIC).value(number).header("fusion-deadline", &*past);
    raw.send(request("1").header("kafka_replyTopic", &*inbox)).await;
    raw.send(request("2")).await;
    raw.send(Record::to(expired::TOPIC).value("3").header("kafka_replyTopic", &*inbox)).await;
    // The first one left nothing, neither a result nor a reply.
    assert_eq!(within(SOON, results.next()).await.unwrap().unwrap().value, 2);
    assert_eq!(within(SOON, results.next()).await.unwrap().unwrap().value, 3);
    assert_eq!(replies.one().await.json(), 3);
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Expired), metrics.get(Count::DeadLetters)), (1, 0));
    app.shutdown().await.unwrap();
}
