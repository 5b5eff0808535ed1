//! On the embedded broker: the same handle, at least once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::*;
use crate::broker::{Config, EmbeddedKafka, ffi};

/// A member of the group that reads and does nothing.
struct Member {
    config: Config,
    consumer: Arc<BaseConsumer>,
    over: Arc<AtomicBool>,
}

impl Member {
    fn join() -> Member {
        let broker = EmbeddedKafka::start().unwrap();
        broker.create_topic(TOPIC, 2).unwrap();
        broker.create_topic("results", 1).unwrap();
        let config = Config::with_embedded(Arc::new(broker)).commit_interval(Duration::from_millis(1));
        let consumer: BaseConsumer = config.group_consumer("group").unwrap().create().unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        let member = Member { config, consumer: Arc::new(consumer), over: Arc::default() };
        let (consumer, over) = (member.consumer.clone(), member.over.clone());
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                consumer.poll(Duration::from_millis(20));
            }
        });
        member
    }

    fn group(&self) -> GroupMetadata {
        let until = soon();
        loop {
            if let Some(group) = GroupMetadata::of(&self.consumer) {
                return group;
            }
            assert!(Instant::now() < until, "no member of its group");
            thread::yield_now();
        }
    }

    fn batch(&self, offset: i64, value: &str) -> Batch {
        let mut batch = Batch::new(self.group());
        batch.push(&Outgoing { value: Some(value.as_bytes()), ..Outgoing::to("results") });
        batch.commit(TOPIC, 0, 1, CommitMetadata::new(offset));
        batch
    }

    fn committed(&self) -> Option<i64> {
        let committed = ffi::committed(&self.consumer, [(TOPIC, 0)], Duration::from_secs(20)).unwrap();
        let offset = committed[0].offset?;
        assert!(CommitMetadata::accept(&committed[0].metadata, offset, offset).is_ok(), "{committed:?}");
        Some(offset)
    }

    /// The results up to this one.
    fn results_to(&self, last: &str) -> Vec<String> {
        let reader: BaseConsumer = self.config.assigned_consumer("reader").unwrap().create().unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset("results", 0, Offset::Beginning).unwrap();
        reader.assign(&partitions).unwrap();
        let (mut results, until) = (Vec::new(), soon());
        while results.last().map(String::as_str) != Some(last) {
            assert!(Instant::now() < until, "{results:?}");
            if let Some(Ok(record)) = reader.poll(Duration::from_millis(100)) {
                results.push(String::from_utf8(record.payload().unwrap().to_vec()).unwrap());
            }
        }
        results
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn records_and_offsets_are_written() {
    let member = Member::join();
    let transactions = Transactions::start(&member.config, "group", &member.consumer).unwrap();
    assert!(!transactions.is_exactly_once());
    transactions.ready().await.unwrap();
    for offset in 1..=3 {
        let pending = transactions.submit(member.batch(offset, &format!("v{offset}")));
        assert_eq!(pending.await, Ok(Outcome::Committed));
    }
    assert_eq!(member.committed(), Some(3));
    assert_eq!(member.results_to("v3"), ["v1", "v2", "v3"]);
    transactions.close(soon()).await;
}

#[tokio::test]
async fn a_commit_that_fails_is_repeated() {
    let member = Member::join();
    let transactions = Transactions::start(&member.config, "group", &member.consumer).unwrap();
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED,
    ];
    let broker = member.config.embedded_broker().unwrap();
    broker.request_errors(RDKafkaApiKey::OffsetCommit, &errors);
    assert_eq!(transactions.submit(member.batch(1, "v")).await, Ok(Outcome::Committed));
    assert_eq!(member.committed(), Some(1));
    assert_eq!(member.results_to("v"), ["v"], "only the commit was repeated");
    transactions.close(soon()).await;
}

#[tokio::test]
async fn what_was_written_before_a_failure_is_written_again() {
    let member = Member::join();
    let transactions = Transactions::start(&member.config, "group", &member.consumer).unwrap();
    transactions.forget_next_outcome();
    assert_eq!(transactions.submit(member.batch(1, "first")).await, Ok(Outcome::Committed));
    assert_eq!(transactions.metrics().get(Count::TransactionsInDoubt), 1);
    // The group does not know its member's epoch any more, as it seems.
    let broker = member.config.embedded_broker().unwrap();
    broker
        .request_errors(RDKafkaApiKey::OffsetCommit, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION]);
    assert_eq!(transactions.submit(member.batch(2, "second")).await, Ok(Outcome::Committed));
    assert_eq!(transactions.submit(member.batch(3, "third")).await, Ok(Outcome::Committed));
    assert_eq!(member.committed(), Some(3));
    assert_eq!(member.results_to("third"), ["first", "second", "second", "third"]);
    transactions.close(soon()).await;
}

#[tokio::test]
async fn a_record_without_a_topic_is_refused() {
    let member = Member::join();
    let transactions = Transactions::start(&member.config, "group", &member.consumer).unwrap();
    let mut bad = member.batch(1, "half");
    bad.push(&Outgoing { value: Some(b"rest"), ..Outgoing::to("not\0a topic") });
    let error = transactions.submit(bad).await.unwrap_err();
    assert!(matches!(error, TransactionError::Record(_)), "{error}");
    assert_eq!(member.committed(), None);
    transactions.close(soon()).await;
}
