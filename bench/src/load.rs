//! What every side gets alike: the records, the headers looked up in them, the client's settings.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;
use crate::report::{Clock, Measure};

/// As often as fusion does.
pub(crate) const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// The topic that is read. A reactor's topic stands in its source, so this one is not new for each run: one that an
/// interrupted run left behind has to be deleted by hand.
pub(crate) const ORDERS: &str = "bench.orders";

/// For anything that must answer: a bench fails, it does not hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A record's value: about 100 bytes of JSON, with owned strings, as most handlers take it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) account: String,
    pub(crate) amount_cents: i64,
    pub(crate) currency: String,
    pub(crate) placed_at: u64,
}

impl Order {
    fn numbered(id: u64) -> Self {
        Order {
            id,
            account: format!("account-{:08}", id % 10_000),
            amount_cents: id as i64 % 100_000 - 500,
            currency: "EUR".to_owned(),
            placed_at: 1_700_000_000_000 + id,
        }
    }
}

/// The headers a request may carry; the last one of a name wins.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) reply_topic: Option<&'a [u8]>,
    pub(crate) correlation_id: Option<&'a [u8]>,
    /// Milliseconds since the epoch.
    pub(crate) deadline: Option<u64>,
    pub(crate) hops: Option<u64>,
}

impl<'a> Asked<'a> {
    pub(crate) fn see(&mut self, name: &[u8], value: &'a [u8]) {
        match name {
            b"kafka_replyTopic" => self.reply_topic = Some(value),
            b"kafka_correlationId" => self.correlation_id = Some(value),
            b"fusion-deadline" => self.deadline = decimal(value),
            b"fusion-hops" => self.hops = decimal(value),
            _ => {}
        }
    }

    pub(crate) fn of<H: rdkafka::message::Headers>(headers: Option<&'a H>) -> Self {
        let mut asked = Asked::default();
        for header in headers.into_iter().flat_map(|headers| headers.iter()) {
            asked.see(header.key.as_bytes(), header.value.unwrap_or_default());
        }
        asked
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What all clients of all sides have in common.
pub(crate) fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", format!("bench-{}", Uuid::new_v4()))
        .set("broker.address.family", "v4")
        .set("socket.nagle.disable", "true");
    config
}

/// A member of a new group, which reads from the start and never runs out of prefetched messages.
pub(crate) fn member(brokers: &str) -> ClientConfig {
    let mut config = client(brokers);
    config
        .set("group.id", format!("bench-{}", Uuid::new_v4()))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("queued.min.messages", "1000000")
        // The default of 1 s stalls a consumer whose prefetch filled up.
        .set("fetch.queue.backoff.ms", "10");
    config
}

/// A topic of a new name, deleted when dropped.
pub(crate) struct Topic {
    pub(crate) brokers: String,
    pub(crate) name: String,
}

impl Topic {
    /// Returns when all partitions have leaders.
    pub(crate) fn create(brokers: &str, what: &str, partitions: i32) -> Result<Self> {
        Self::named(brokers, format!("bench.{what}.{}", Uuid::new_v4()), partitions)
    }

    pub(crate) fn named(brokers: &str, name: String, partitions: i32) -> Result<Self> {
        let topic = Topic { brokers: brokers.to_owned(), name };
        let admin = topic.admin()?;
        let new = NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(-1));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        for created in block_on(admin.create_topics([&new], &options))?? {
            created.map_err(|(topic, error)| format!("creating {topic}: {error}"))?;
        }
        let deadline = Instant::now() + PATIENCE;
        // A node that is down fails a look-up; the next one asks another.
        while !matches!(has_leaders(&admin, &topic.name, partitions), Ok(true)) {
            if Instant::now() > deadline {
                return Err(format!("{} has no leaders", topic.name).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(topic)
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>> {
        Ok(client(&self.brokers).create()?)
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let deleted = self
            .admin()
            .and_then(|admin| Ok(block_on(admin.delete_topics(&[&self.name], &AdminOptions::new()))??));
        if let Err(error) = deleted {
            eprintln!("{} is left behind: {error}", self.name);
        }
    }
}

/// Deletes every topic whose name begins like this, without waiting for it.
pub(crate) fn delete_beginning(brokers: &str, prefix: &str) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create()?;
    let metadata = admin.inner().fetch_metadata(None, PATIENCE)?;
    let names: Vec<_> =
        metadata.topics().iter().map(|topic| topic.name()).filter(|name| name.starts_with(prefix)).collect();
    if !names.is_empty() {
        block_on(admin.delete_topics(&names, &AdminOptions::new()))??;
    }
    Ok(())
}

fn block_on<F: Future>(future: F) -> Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(future))
}

/// A topic filled with [`Order`]s.
pub(crate) struct Load {
    pub(crate) topic: Topic,
    pub(crate) partitions: i32,
    pub(crate) messages: u64,
}

impl Load {
    /// Creates the topic and fills it evenly. The measure is of filling it.
    pub(crate) fn fill(
        brokers: &str,
        messages: u64,
        partitions: i32,
        headers: usize,
    ) -> Result<(Self, Measure)> {
        let topic = Topic::named(brokers, ORDERS.to_owned(), partitions)?;
        let producer: BaseProducer =
            client(brokers).set("linger.ms", "50").set("queue.buffering.max.messages", "1000000").create()?;
        let clock = Clock::start();
        for id in 0..messages {
            let value = serde_json::to_vec(&Order::numbered(id))?;
            let mut record = BaseRecord::<(), [u8]>::to(&topic.name)
                .partition((id % partitions as u64) as i32)
                .payload(&value);
            if headers > 0 {
                record = record.headers(unrelated_headers(headers));
            }
            while let Err((error, back)) = producer.send(record) {
                if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                    return Err(error.into());
                }
                producer.poll(Duration::from_millis(10));
                record = back;
            }
            if id % 1000 == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(PATIENCE)?;
        let measure = clock.stop(messages);
        let load = Load { topic, partitions, messages };
        load.expect_ends()?;
        Ok((load, measure))
    }

    /// A side is only comparable if it did the whole work: all of the topic is committed for its group.
    pub(crate) fn expect_committed<C: ConsumerContext>(&self, consumer: &impl Consumer<C>) -> Result<()> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&self.topic.name, 0, self.partitions - 1);
        let committed = consumer.committed_offsets(partitions, PATIENCE)?;
        let mut total = 0;
        for element in committed.elements() {
            element.error()?;
            total += element.offset().to_raw().filter(|offset| *offset > 0).unwrap_or(0) as u64;
        }
        if total == self.messages {
            Ok(())
        } else {
            Err(format!("committed {total} of {}", self.messages).into())
        }
    }

    /// The topic's partitions with the offsets to commit: the next one to read.
    pub(crate) fn offsets(&self, next: &[i64]) -> Result<TopicPartitionList> {
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in (0..).zip(next).filter(|(_, next)| **next > 0) {
            offsets.add_partition_offset(&self.topic.name, partition, Offset::Offset(*next))?;
        }
        Ok(offsets)
    }

    fn expect_ends(&self) -> Result<()> {
        let consumer: BaseConsumer = client(&self.topic.brokers).create()?;
        let mut total = 0;
        for partition in 0..self.partitions {
            total += consumer.fetch_watermarks(&self.topic.name, partition, PATIENCE)?.1 as u64;
        }
        if total == self.messages {
            Ok(())
        } else {
            Err(format!("wrote {total} of {}", self.messages).into())
        }
    }
}

/// Records that others write carry headers too, so a look-up has something to scan.
fn unrelated_headers(count: usize) -> OwnedHeaders {
    let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    (0..count).fold(OwnedHeaders::new_with_capacity(count), |headers, _| {
        headers.insert(Header { key: "traceparent", value: Some(value) })
    })
}

fn has_leaders(admin: &AdminClient<DefaultClientContext>, topic: &str, partitions: i32) -> Result<bool> {
    let metadata = admin.inner().fetch_metadata(Some(topic), PATIENCE)?;
    let found = metadata.topics().iter().flat_map(|topic| topic.partitions());
    Ok(found.filter(|partition| partition.leader() >= 0).count() == partitions as usize)
}
