//! A broker that goes away, refuses, or forgets. Only the embedded one can be told to.

mod common;

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use common::{Raw, Record, SOON, Tail, cluster, create, eventually, on_real, start, within};
use fusion::{Code, Contract, Count, EmbeddedKafka, Error, OnGap, prelude::*};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

#[tokio::test(flavor = "multi_thread")]
async fn requests_outlive_an_absent_broker() {
    #[reactor(topic = "outages.down")]
    async fn down(number: i64) -> i64 {
        number
    }
    if on_real() {
        return;
    }
    let config = cluster();
    let broker = config.embedded_broker().unwrap().clone();
    let app = start(App::new("outages.down", config.clone()).reactors(reactors![down])).await;
    let pipeline = Pipeline::connect("down", config.connect_limit(Duration::from_millis(300))).await.unwrap();
    for round in 0..3 {
        assert_eq!(pipeline.ask::<down>((round,)).await.unwrap(), round);
        broker.broker_down().unwrap();
        let mut asked = JoinSet::new();
        for number in 0..50 {
            let question = pipeline.ask::<down>((number,)).within(SOON);
            asked.spawn(async move { assert_eq!(question.await.unwrap(), number) });
        }
        // One that is not waited for that long, and one to a topic that nobody can look for now.
        let error = pipeline.ask::<down>((0,)).within(Duration::from_millis(200)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (&Code::Timeout, true));
        let error = pipeline.ask_value("outages.unseen", json!(1)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (&Code::Timeout, true), "{error}");
        broker.broker_up().unwrap();
        while let Some(answered) = within(SOON, asked.join_next()).await {
            answered.unwrap();
        }
    }
    pipeline.close().await.unwrap();
    within(SOON, app.shutdown()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_confirmed_at_the_end_is_told_or_delivered_again() {
    #[reactor(topic = "outages.last", to = "outages.last.to")]
    async fn last(number: i64, gate: State<Arc<Semaphore>>) -> i64 {
        gate.acquire().await.unwrap().forget();
        number
    }
    if on_real() {
        return;
    }
    let config = cluster().stop_limit(Duration::from_secs(1));
    let broker = config.embedded_broker().unwrap().clone();
    let mut sent = Tail::at_end(&config, "outages.last.to").await;
    let gate = Arc::new(Semaphore::new(0));
    let app = || App::new("outages.last", config.clone()).state(gate.clone()).reactors(reactors![last]);
    let first = start(app()).await;
    let pipeline = Pipeline::connect("last", config.clone()).await.unwrap();
    pipeline.send::<last>((1,)).await.unwrap();
    eventually(SOON, || first.metrics().get(Count::Records) == 1).await;
    broker.broker_down().unwrap();
    let other = pipeline.clone();
    let mut sending = Box::pin(other.send::<last>((2,)).into_future());
    let queued = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx).is_pending())).await;
    assert!(queued);
    assert!(matches!(within(SOON, pipeline.close()).await, Err(Error::Unconfirmed { records: 1 })));
    assert!(within(SOON, sending).await.is_err());
    gate.add_permits(2);
    within(SOON, first.shutdown()).await.unwrap();
    broker.broker_up().unwrap();
    let second = start(app()).await;
    assert_eq!(sent.one().await.json(), 1, "its record was not committed");
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_refuses_is_told_or_tried_again() {
    #[reactor(topic = "outages.refused", retry = 0)]
    async fn refused(number: i64, gate: State<Arc<Semaphore>>) -> Result<i64, String> {
        if number >= 0 {
            return Ok(number);
        }
        gate.acquire().await.unwrap().forget();
        Err("negative".into())
    }
    if on_real() {
        return;
    }
    let config = cluster();
    let broker = config.embedded_broker().unwrap().clone();
    let mut letters = Tail::at_end(&config, "outages.refused.dlq").await;
    let gate = Arc::new(Semaphore::new(0));
    let app = App::new("outages.refused", config.clone()).state(gate.clone()).reactors(reactors![refused]);
    let app = start(app).await;
    let pipeline = Pipeline::connect("refused", config.clone()).await.unwrap();
    assert_eq!(pipeline.ask::<refused>((1,)).await.unwrap(), 1);
    let refuse = |times| {
        broker.clear_request_errors(RDKafkaApiKey::Produce);
        let errors = vec![RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD; times];
        broker.request_errors(RDKafkaApiKey::Produce, &errors);
    };
    // The request itself: the caller hears of it, and soon.
    refuse(1);
    let error = within(SOON, pipeline.ask::<refused>((2,)).into_future()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    refuse(1);
    assert!(matches!(pipeline.send::<refused>((2,)).await, Err(Error::Produce(_))));
    refuse(0);
    // A dead letter is not given up: the record would be lost.
    pipeline.send::<refused>((-1,)).await.unwrap();
    refuse(2);
    gate.add_permits(1);
    assert_eq!(letters.one().await.json(), json!(-1));
    // Nor does a reply that is refused keep its record from being finished.
    let question = tokio::spawn(pipeline.ask::<refused>((-2,)).within(SOON).into_future());
    eventually(SOON, || pipeline.metrics().get(Count::Requests) == 3).await;
    eventually(SOON, || app.metrics().get(Count::Records) == 3).await;
    refuse(1);
    gate.add_permits(1);
    assert_eq!(letters.one().await.json(), json!(-2));
    eventually(SOON, || app.metrics().get(Count::RepliesLost) == 1).await;
    question.abort();
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// The embedded broker keeps five mebibytes of a partition. What it drops before it was read is not passed over.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_gone_end_the_app_with_their_place() {
    #[reactor(topic = "outages.gone", concurrency = 1)]
    async fn gone(text: String, gate: State<Arc<Semaphore>>) -> () {
        drop(text);
        gate.acquire().await.unwrap().forget();
    }
    if on_real() {
        return;
    }
    let config = cluster().in_flight(10).fetch_buffer(100 * 1024);
    create(&config, &[gone::TOPIC], 1).await;
    let gate = Arc::new(Semaphore::new(0));
    let app = App::new("outages.gone", config.clone()).state(gate.clone());
    let app = start(app.reactors(reactors![gone])).await;
    let raw = Raw::new(&config);
    let value = json!("x".repeat(50_000)).to_string();
    for _ in 0..3 * EmbeddedKafka::RETENTION_BYTES / value.len() {
        drop(raw.queue(&Record::to(gone::TOPIC).value(&*value)));
    }
    raw.send(Record::to(gone::TOPIC).value("\"last\"")).await;
    // It has read a little, and now it reads on.
    gate.add_permits(1_000_000);
    let failed = within(SOON, app.failed()).await;
    let Error::Gap { topic, partition, offset, start, end } = &*failed else { panic!("{failed}") };
    assert_eq!((&**topic, *partition), (gone::TOPIC, 0));
    assert!((0..*start).contains(offset) && start < end, "{failed}");
    within(SOON, app.shutdown()).await.unwrap();
}

/// What was dropped while nobody read is passed over, if that is wanted.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_goes_on_without_records_that_are_gone_if_it_is_told_so() {
    #[reactor(topic = "outages.partial", to = "outages.partial.to")]
    fn partial(text: String) -> u64 {
        text.len() as u64
    }
    if on_real() {
        return;
    }
    let config = cluster();
    create(&config, &[partial::TOPIC], 1).await;
    let app = |config: &Config| App::new("outages.partial", config.clone()).reactors(reactors![partial]);
    let mut lengths = Tail::at_end(&config, "outages.partial.to").await;
    let first = start(app(&config)).await;
    let raw = Raw::new(&config);
    raw.send(Record::to(partial::TOPIC).value("\"first\"")).await;
    assert_eq!(lengths.one().await.json(), 5);
    first.shutdown().await.unwrap();

    let value = json!("x".repeat(50_000)).to_string();
    for _ in 0..3 * EmbeddedKafka::RETENTION_BYTES / value.len() {
        drop(raw.queue(&Record::to(partial::TOPIC).value(&*value)));
    }
    let (_, last) = raw.send(Record::to(partial::TOPIC).value("\"last\"")).await;
    let failing = start(app(&config)).await;
    assert!(matches!(&*within(SOON, failing.failed()).await, Error::Gap { .. }));
    failing.shutdown().await.unwrap();

    let app = start(app(&config.on_gap(OnGap::Partial))).await;
    while lengths.one().await.json() != 4 {}
    assert_eq!(app.metrics().get(Count::Gaps), 1);
    assert!(app.metrics().get(Count::Succeeded) < last as u64, "some were gone");
    app.shutdown().await.unwrap();
}
