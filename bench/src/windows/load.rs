//! The records that windows gather, and what must come of them.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::load::{PATIENCE, Topic, client, now};

/// What is gathered, and where results go. They stand in the reactors' source, so they are not new for each run: those
/// that an interrupted run left behind have to be deleted by hand.
pub(crate) const SOURCES: [&str; 2] = ["bench.brake", "bench.lidar"];
pub(crate) const RESULTS: &str = "bench.gathered";

/// The windows' size and grace in milliseconds of event time, as the reactors have them.
pub(crate) const SIZE: i64 = 10_000;
pub(crate) const GRACE: i64 = 2_000;

/// The keys of records that only move time. Nobody counts their results.
pub(crate) const CLOSER: &str = "closer";

/// A record's value: about 100 bytes of JSON, with owned strings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) id: String,
    pub(crate) car: String,
    pub(crate) value: i64,
    /// The record's timestamp, too.
    pub(crate) taken_at: i64,
}

impl Trigger {
    pub(crate) fn new(id: String, number: u64, taken_at: i64) -> Self {
        Trigger { car: format!("car-{:06}", number % 5_000), value: number as i64 % 1_000, taken_at, id }
    }
}

/// What a window gathers of them, on every side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) count: u64,
    pub(crate) sum: i64,
}

/// A result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Gathered {
    pub(crate) id: String,
    pub(crate) start: i64,
    pub(crate) count: u64,
    pub(crate) sum: i64,
}

/// The topics, and what they were filled with.
pub(crate) struct Load {
    pub(crate) brokers: String,
    pub(crate) partitions: i32,
    /// All, closers included.
    pub(crate) messages: u64,
    windows: u64,
    /// Distinct ones; each has `each` records in every window.
    pub(crate) keys: u64,
    pub(crate) each: u64,
    _topics: Vec<Topic>,
}

impl Load {
    /// Empty topics.
    pub(crate) fn create(brokers: &str, partitions: i32) -> Result<Self> {
        let topics = SOURCES.iter().chain([&RESULTS]);
        let topics = topics.map(|&name| Topic::named(brokers, name.to_owned(), partitions));
        Ok(Load { _topics: topics.collect::<Result<_>>()?, ..Load::of(brokers.to_owned(), partitions) })
    }

    /// Topics that somebody else created.
    pub(crate) fn of(brokers: String, partitions: i32) -> Self {
        Load { brokers, partitions, messages: 0, windows: 0, keys: 0, each: 0, _topics: Vec::new() }
    }

    /// Fills them with `windows` windows of `each` records for each key, in order of time, to the partitions that their
    /// keys say; behind them, in every partition, what closes the last of these windows, if `closed`.
    pub(crate) fn fill(mut self, windows: u64, keys: u64, each: u64, closed: bool) -> Result<Self> {
        (self.windows, self.keys, self.each) = (windows, keys, each);
        self.messages = windows * keys * each;
        let producer = producer(&self.brokers, 5)?;
        let start = self.begin(windows);
        let in_window = keys * each;
        for number in 0..self.messages {
            // 7,919 is a prime, so that neighbours are of different keys and each has its turn.
            let id = format!("trigger-{:08}", number * 7_919 % keys);
            let topic = SOURCES[((number ^ (number / keys)) & 1) as usize];
            let time = start + (number * SIZE as u64 / in_window) as i64;
            let value = serde_json::to_vec(&Trigger::new(id.clone(), number, time))?;
            send(&producer, BaseRecord::to(topic).key(&id).payload(&value).timestamp(time))?;
            if number % 1_000 == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        if closed {
            self.close(&producer, start + (windows as i64 + 1) * SIZE)?;
        }
        producer.flush(PATIENCE)?;
        self.messages += if closed { SOURCES.len() as u64 * self.partitions as u64 } else { 0 };
        Ok(self)
    }

    /// The first window: so far back that no record is ahead of the clock, and not so far that brokers delete it.
    fn begin(&self, windows: u64) -> i64 {
        let before = now() as i64 - (windows as i64 + 2) * SIZE - 3_600_000;
        before - before.rem_euclid(SIZE)
    }

    /// Moves time in every partition.
    pub(crate) fn close(&self, producer: &BaseProducer, time: i64) -> Result<()> {
        self.everywhere(producer, CLOSER, time)
    }

    /// Sends a record of `time` to every partition, the same keys to each topic.
    pub(crate) fn everywhere(&self, producer: &BaseProducer, what: &str, time: i64) -> Result<()> {
        for topic in SOURCES {
            for partition in 0..self.partitions {
                let id = key_of(what, partition, self.partitions);
                let value = serde_json::to_vec(&Trigger::new(id.clone(), 0, time))?;
                send(producer, BaseRecord::to(topic).key(&id).payload(&value).timestamp(time))?;
            }
        }
        Ok(())
    }

    /// How many windows must fire, besides those of closers.
    pub(crate) fn results(&self) -> u64 {
        self.windows * self.keys
    }

    /// Where the results end now.
    pub(crate) fn result_ends(&self) -> Result<Vec<i64>> {
        let consumer = self.reader()?;
        (0..self.partitions)
            .map(|partition| Ok(consumer.fetch_watermarks(RESULTS, partition, PATIENCE)?.1))
            .collect()
    }

    fn reader(&self) -> Result<BaseConsumer> {
        let mut config = client(&self.brokers);
        config.set("group.id", "bench-none").set("isolation.level", "read_committed");
        Ok(config.set("enable.auto.commit", "false").create()?)
    }

    /// A consumer of committed results from these offsets on.
    pub(crate) fn results_from(&self, offsets: &[i64]) -> Result<BaseConsumer> {
        let consumer = self.reader()?;
        let mut assigned = TopicPartitionList::new();
        for (partition, offset) in (0..).zip(offsets) {
            assigned.add_partition_offset(RESULTS, partition, Offset::Offset(*offset))?;
        }
        consumer.assign(&assigned)?;
        Ok(consumer)
    }

    /// Reads all committed results from these offsets on: one for each key and window, and each complete.
    pub(crate) fn check(&self, from: &[i64]) -> Result<()> {
        let mut seen = HashSet::new();
        let ends = self.result_ends()?;
        let consumer = self.results_from(from)?;
        let mut at = from.to_vec();
        // Behind the last record there may be markers, which no record tells of: silence ends it too.
        while at.iter().zip(&ends).any(|(at, end)| at < end) {
            let Some(record) = consumer.poll(Duration::from_secs(1)) else { break };
            let record = record?;
            at[record.partition() as usize] = record.offset() + 1;
            let result: Gathered = serde_json::from_slice(record.payload().unwrap_or_default())?;
            if result.id.starts_with(CLOSER) {
                continue;
            }
            if result.count != self.each {
                return Err(format!("{result:?} has not {} records", self.each).into());
            }
            if !seen.insert((result.id.clone(), result.start)) {
                return Err(format!("{result:?} came twice").into());
            }
        }
        if seen.len() as u64 == self.results() {
            Ok(())
        } else {
            Err(format!("{} results instead of {}", seen.len(), self.results()).into())
        }
    }
}

pub(crate) fn producer(brokers: &str, linger: u32) -> Result<BaseProducer> {
    let mut config = client(brokers);
    config
        .set("linger.ms", linger.to_string())
        .set("queue.buffering.max.messages", "1000000")
        .set("partitioner", "murmur2_random");
    Ok(config.set_log_level(RDKafkaLogLevel::Warning).create()?)
}

pub(crate) fn send(producer: &BaseProducer, mut record: BaseRecord<'_, String, Vec<u8>>) -> Result<()> {
    while let Err((error, back)) = producer.send(record) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            return Err(error.into());
        }
        producer.poll(Duration::from_millis(10));
        record = back;
    }
    Ok(())
}

/// A key of this partition, as Kafka's own clients place them.
pub(crate) fn key_of(what: &str, partition: i32, partitions: i32) -> String {
    let belongs =
        |key: &String| (murmur2(key.as_bytes()) & 0x7fff_ffff) % partitions as u32 == partition as u32;
    (0..).map(|number| format!("{what}-{number}")).find(belongs).unwrap_or_default()
}

fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let word = u32::from_le_bytes(*word).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ (word >> 24)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}
