//! Receipts, limits and ends, on the embedded broker.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::broker::{Config, EmbeddedKafka};

const LIMIT: Duration = Duration::from_secs(20);

fn broker(topic: &str, partitions: i32) -> Config {
    let broker = EmbeddedKafka::start().unwrap();
    broker.create_topic(topic, partitions).unwrap();
    Config::with_embedded(Arc::new(broker))
}

/// A broker that takes no record before it is told to.
fn stalled(topic: &str) -> (Config, Arc<EmbeddedKafka>) {
    let config = broker(topic, 1);
    let broker = config.embedded_broker().unwrap().clone();
    broker.broker_down().unwrap();
    (config, broker)
}

fn tell() -> (Receipt, oneshot::Receiver<Result<Delivered, ProduceError>>) {
    let (tell, told) = oneshot::channel();
    (Receipt::Tell(tell), told)
}

fn soon() -> Instant {
    Instant::now() + LIMIT
}

/// Counts outcomes by token.
#[derive(Default)]
struct Tally {
    outcomes: Mutex<BTreeMap<u64, Vec<Result<Delivered, ProduceError>>>>,
    changed: Condvar,
}

impl Settle for Tally {
    fn settled(&self, token: u64, result: Result<Delivered, ProduceError>) {
        self.outcomes.lock().unwrap().entry(token).or_default().push(result);
        self.changed.notify_all();
    }
}

impl Tally {
    fn wait_for(&self, count: usize) -> BTreeMap<u64, Vec<Result<Delivered, ProduceError>>> {
        let outcomes = self.outcomes.lock().unwrap();
        let (outcomes, late) =
            self.changed.wait_timeout_while(outcomes, LIMIT, |outcomes| outcomes.len() < count).unwrap();
        assert!(!late.timed_out(), "{} of {count} outcomes came", outcomes.len());
        outcomes.clone()
    }
}

#[tokio::test]
async fn a_receipt_says_where_the_record_is() {
    let producer = Producer::start(&broker("orders", 2)).unwrap();
    for offset in 0..3 {
        let (receipt, told) = tell();
        producer.send(Outgoing { partition: Some(1), ..Outgoing::to("orders") }, receipt).unwrap();
        let delivered = timeout(LIMIT, told).await.unwrap().unwrap().unwrap();
        assert_eq!((delivered.partition, delivered.offset), (1, offset));
    }
    // Whoever stops waiting disturbs nobody.
    let (receipt, told) = tell();
    drop(told);
    producer.send(Outgoing::to("orders"), receipt).unwrap();
    producer.flush(soon()).await.unwrap();
    assert_eq!(producer.in_flight(), 0);
    producer.close(soon()).await.unwrap();
}

#[tokio::test]
async fn each_of_many_records_is_settled_once_and_in_order() {
    let config = broker("orders", 1);
    // Each lost connection makes librdkafka send again.
    let broker = config.embedded_broker().unwrap();
    broker.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 2],
    );
    let producer = Producer::start(&config).unwrap();
    let tally = Arc::new(Tally::default());
    let senders: Vec<_> = (0..4_u64)
        .map(|thread| {
            let (producer, tally) = (producer.clone(), tally.clone());
            std::thread::spawn(move || {
                for n in 0..500 {
                    let receipt = Receipt::Settle(tally.clone(), thread * 500 + n);
                    producer.send(Outgoing { value: Some(b"x"), ..Outgoing::to("orders") }, receipt).unwrap();
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    producer.close(soon()).await.unwrap();
    let outcomes = tally.wait_for(2000);
    assert!(outcomes.values().all(|each| each.len() == 1));
    let offset = |token: u64| outcomes[&token][0].clone().unwrap().offset;
    for thread in 0..4 {
        assert!((1..500).all(|n| offset(thread * 500 + n - 1) < offset(thread * 500 + n)));
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_queued() {
    let config = broker("orders", 1).largest_value(1000).largest_headers(100);
    let producer = Producer::start(&config).unwrap();
    let value = vec![0; 1001];
    let record = Outgoing { value: Some(&value), ..Outgoing::to("orders") };
    let error = producer.send(record, Receipt::Ignore).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ProduceError::TooLarge { size: 1001, limit: 1000, .. }), "{text}");
    assert!(text.contains("`orders`") && text.contains("raise `Config::largest_value`"), "{text}");
    // The key counts too.
    let record = Outgoing { key: Some(b"k"), value: Some(&value[1..]), ..Outgoing::to("orders") };
    assert!(producer.send(record, Receipt::Ignore).is_err());
    let headers: &[Header<'_>] = &[(b"name", Some(&value[..97]))];
    let error = producer.send(Outgoing { headers, ..Outgoing::to("orders") }, Receipt::Ignore).unwrap_err();
    assert!(matches!(error, ProduceError::TooLarge { part: "headers", size: 101, .. }), "{error}");
    assert_eq!(producer.in_flight(), 0);
    // What is just allowed also fits into the client's own limit, and arrives.
    let (receipt, told) = tell();
    let headers: &[Header<'_>] = &[(b"name", Some(&value[..96]))];
    producer.send(Outgoing { value: Some(&value[1..]), headers, ..Outgoing::to("orders") }, receipt).unwrap();
    timeout(LIMIT, told).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_full_queue_is_an_error_or_a_wait_for_room() {
    let (config, broker) = stalled("orders");
    let producer = Producer::start(&config.producer_set("queue.buffering.max.messages", "10")).unwrap();
    let tally = Arc::new(Tally::default());
    for token in 0..10 {
        producer.send(Outgoing::to("orders"), Receipt::Settle(tally.clone(), token)).unwrap();
    }
    let (receipt, told) = tell();
    let full = ProduceError::QueueFull { topic: "orders".into() };
    assert_eq!(producer.send(Outgoing::to("orders"), receipt), Err(full.clone()));
    assert!(told.await.is_err(), "a receipt that was refused is dropped untold");

    let deadline = tokio::time::Instant::now() + Duration::from_millis(50);
    let late = producer.send_when_ready(Outgoing::to("orders"), Receipt::Ignore, deadline).await;
    assert_eq!(late, Err(full));

    let theirs = producer.clone();
    let waiting = tokio::spawn(async move {
        let deadline = tokio::time::Instant::now() + LIMIT;
        let (receipt, told) = tell();
        theirs.send_when_ready(Outgoing::to("orders"), receipt, deadline).await.unwrap();
        told.await.unwrap().unwrap().offset
    });
    tokio::task::yield_now().await;
    broker.broker_up().unwrap();
    assert_eq!(timeout(LIMIT, waiting).await.unwrap().unwrap(), 10);
    tally.wait_for(10);
}

#[tokio::test]
async fn a_closed_producer_refuses_and_tells_everybody() {
    let (config, _broker) = stalled("orders");
    let producer = Producer::start(&config).unwrap();
    let tally = Arc::new(Tally::default());
    for token in 0..5 {
        producer.send(Outgoing::to("orders"), Receipt::Settle(tally.clone(), token)).unwrap();
    }
    let unflushed = producer.flush(Instant::now() + Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(unflushed.records, 5);
    let (one, two) = tokio::join!(producer.close(Instant::now()), producer.close(soon()));
    assert_eq!((one, two), (Err(Unflushed { records: 5 }), Err(Unflushed { records: 5 })));
    let outcomes = tally.wait_for(5);
    let closed = Err(ProduceError::Closed { topic: "orders".into() });
    assert!(outcomes.values().all(|each| each.len() == 1 && each[0] == closed), "{outcomes:?}");
    assert_eq!(producer.send(Outgoing::to("orders"), Receipt::Ignore), closed.clone().map(|_: Delivered| ()));
    assert_eq!(producer.flush(soon()).await, Err(Unflushed { records: 5 }));
}

#[test]
fn a_dropped_producer_sends_the_rest() {
    let config = broker("orders", 1);
    let producer = Producer::start(&config).unwrap();
    let tally = Arc::new(Tally::default());
    for token in 0..100 {
        producer.send(Outgoing::to("orders"), Receipt::Settle(tally.clone(), token)).unwrap();
    }
    drop(producer);
    assert!(tally.wait_for(100).values().all(|each| each[0].is_ok()));
}

#[tokio::test]
async fn a_topic_that_does_not_exist_is_an_error_until_it_does() {
    let config = broker("orders", 1).producer_set("topic.metadata.propagation.max.ms", "100");
    let producer = Producer::start(&config).unwrap();
    let (receipt, told) = tell();
    producer.send(Outgoing::to("odrers"), receipt).unwrap();
    let unknown = ProduceError::UnknownTopic { topic: "odrers".into() };
    assert_eq!(timeout(LIMIT, told).await.unwrap().unwrap(), Err(unknown.clone()));
    assert!(unknown.is_retryable());
    let (receipt, told) = tell();
    // Refused at once if the topic's partitions are known by now, and later if they are not.
    let sent = producer.send(Outgoing { partition: Some(9), ..Outgoing::to("orders") }, receipt);
    let refused = match sent {
        Ok(()) => timeout(LIMIT, told).await.unwrap().unwrap().map(|_| ()),
        refused => refused,
    };
    assert!(matches!(refused, Err(ProduceError::UnknownTopic { .. })));

    config.embedded_broker().unwrap().create_topic("odrers", 1).unwrap();
    let made = async {
        loop {
            let (receipt, told) = tell();
            if producer.send(Outgoing::to("odrers"), receipt).is_ok() && told.await.unwrap().is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, made).await.unwrap();
}

#[tokio::test]
async fn what_the_broker_refuses_is_told_in_its_words() {
    let config = broker("orders", 1);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    config.embedded_broker().unwrap().request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let producer = Producer::start(&config).unwrap();
    let (receipt, told) = tell();
    producer.send(Outgoing::to("orders"), receipt).unwrap();
    let error = timeout(LIMIT, told).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, ProduceError::Broker { .. }) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("topic `orders`") && error.to_string().contains("uthoriz"), "{error}");
    for bad in ["a\0b", &"x".repeat(300)] {
        assert!(matches!(
            producer.send(Outgoing::to(bad), Receipt::Ignore),
            Err(ProduceError::Broker { .. })
        ));
    }
}

#[test]
fn a_receipt_may_send_and_may_panic() {
    struct Echo(Producer, Arc<Tally>);
    impl Settle for Echo {
        fn settled(&self, token: u64, _: Result<Delivered, ProduceError>) {
            let receipt = Receipt::Settle(self.1.clone(), token);
            self.0.send(Outgoing::to("orders"), receipt).unwrap();
            panic!("after the echo");
        }
    }
    let producer = Producer::start(&broker("orders", 1)).unwrap();
    let tally = Arc::new(Tally::default());
    let echo = Arc::new(Echo(producer.clone(), tally.clone()));
    for token in 0..3 {
        producer.send(Outgoing::to("orders"), Receipt::Settle(echo.clone(), token)).unwrap();
    }
    assert!(tally.wait_for(3).values().all(|each| each[0].is_ok()));
}

#[tokio::test]
async fn an_absent_broker_does_not_hold_up_the_end() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let producer = Producer::start(&Config::new(address)).unwrap();
    let (receipt, told) = tell();
    producer.send(Outgoing::to("orders"), receipt).unwrap();
    let start = Instant::now();
    assert_eq!(producer.close(start + Duration::from_millis(50)).await, Err(Unflushed { records: 1 }));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(told.await.unwrap(), Err(ProduceError::Closed { topic: "orders".into() }));
}

#[tokio::test]
async fn a_client_that_failed_is_replaced() {
    let config = broker("orders", 1).producer_set("enable.idempotence", "true");
    let producer = Producer::start(&config).unwrap();
    let (receipt, told) = tell();
    producer.send(Outgoing::to("orders"), receipt).unwrap();
    timeout(LIMIT, told).await.unwrap().unwrap().unwrap();

    // With nothing else in flight this means to the idempotent producer that the broker has lost records.
    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    config.embedded_broker().unwrap().request_errors(RDKafkaApiKey::Produce, &[lost]);
    let (receipt, told) = tell();
    producer.send(Outgoing::to("orders"), receipt).unwrap();
    let error = timeout(LIMIT, told).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let again = async {
        loop {
            let (receipt, told) = tell();
            if producer.send(Outgoing::to("orders"), receipt).is_ok() && told.await.unwrap().is_ok() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, again).await.unwrap();
    producer.close(soon()).await.unwrap();
}
