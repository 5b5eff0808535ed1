//! Requests and replies on plain librdkafka: a callee on a thread of its own, and a caller on this one.
//!
//! Both assign their partition by hand, at an offset resolved before the first request, and send without linger.
//! The bytes are those that fusion sends: a JSON list of integers, answered by its sum.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::Result;
use crate::load::{Asked, PATIENCE, Topic, client, now};
use crate::report::{Clock, Measure, latencies};

/// Asked and thrown away before the clock starts: connections, and the broker's code, get warm.
const WARM_UP: u64 = 200;

/// librdkafka's default of `max.in.flight`: as good as no bound.
pub(crate) const UNBOUNDED: u64 = 1_000_000;

/// So many requests are answered in one go at most.
const MOST_AT_ONCE: usize = 64;

/// What every request asks.
pub(crate) const QUESTION: [i64; 2] = [6, 2];

/// Asks `requests` times, keeping `in_flight` of them open. `produce_requests` bounds what a producer has on its
/// connection at once (`max.in.flight`). With one, what is sent meanwhile becomes the next batch; librdkafka's
/// default, without linger, sends nearly every record by itself.
pub(crate) fn raw_ask(
    brokers: &str,
    requests: u64,
    in_flight: u64,
    produce_requests: u64,
) -> Result<Measure> {
    let mut pair = Pair::start(brokers, produce_requests)?;
    pair.ask(WARM_UP, in_flight, &mut latencies())?;
    let mut answered = latencies();
    let clock = Clock::start();
    pair.ask(requests, in_flight, &mut answered)?;
    Ok(clock.stop_with(requests, answered))
}

/// A caller and the callee it asks.
pub(crate) struct Pair {
    // Dropped in this order: clients before the topics they use.
    callee: Callee,
    caller: Caller,
}

impl Pair {
    pub(crate) fn start(brokers: &str, produce_requests: u64) -> Result<Self> {
        let requests = Topic::create(brokers, "requests", 1)?;
        let replies = Topic::create(brokers, "replies", 1)?;
        let callee = Callee::start(reader(&requests)?, writer(brokers, produce_requests)?)?;
        let caller = Caller {
            requests,
            consumer: reader(&replies)?,
            replies,
            producer: writer(brokers, produce_requests)?,
            ids: Uuid::new_v4().as_u128(),
            open: HashMap::new(),
        };
        Ok(Pair { caller, callee })
    }

    /// Asks as often as `requests` says, all at once and in one batch if librdkafka can be brought to it: what is to be
    /// sent is built first, on both sides, and then queued in one go.
    pub(crate) fn ask_at_once(&mut self, requests: u64) -> Result<()> {
        let asked = self.caller.ask_at_once(requests);
        asked.map_err(|error| self.callee.failure().unwrap_or(error))
    }

    pub(crate) fn ask(&mut self, requests: u64, in_flight: u64, answered: &mut Histogram<u64>) -> Result<()> {
        let asked = self.caller.ask_all(requests, in_flight, answered);
        asked.map_err(|error| self.callee.failure().unwrap_or(error))
    }
}

struct Caller {
    producer: BaseProducer,
    consumer: BaseConsumer,
    requests: Topic,
    replies: Topic,
    /// Random once, then counted on: asking the system for each id would be a cost of its own.
    ids: u128,
    open: HashMap<Uuid, Instant>,
}

impl Caller {
    fn ask_all(&mut self, requests: u64, in_flight: u64, answered: &mut Histogram<u64>) -> Result<()> {
        let mut sent = 0;
        while sent < in_flight.min(requests) {
            self.send()?;
            sent += 1;
        }
        for _ in 0..requests {
            answered.record(self.next_reply()?.as_nanos() as u64)?;
            if sent < requests {
                self.send()?;
                sent += 1;
            }
        }
        Ok(())
    }

    fn ask_at_once(&mut self, requests: u64) -> Result<()> {
        let built: Vec<Built> = (0..requests).map(|_| self.build()).collect::<Result<_>>()?;
        send_all(&self.producer, built)?;
        for _ in 0..requests {
            self.next_reply()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        let built = self.build()?;
        send_all(&self.producer, vec![built])
    }

    fn build(&mut self) -> Result<Built> {
        self.ids = self.ids.wrapping_add(1);
        let id = Uuid::from_u128(self.ids);
        let started = Instant::now();
        let deadline = (now() + PATIENCE.as_millis() as u64).to_string();
        let mut text = Uuid::encode_buffer();
        let headers = OwnedHeaders::new_with_capacity(4)
            .insert(Header { key: "kafka_replyTopic", value: Some(&self.replies.name) })
            .insert(Header {
                key: "kafka_correlationId",
                value: Some(&*id.hyphenated().encode_lower(&mut text)),
            })
            .insert(Header { key: "fusion-deadline", value: Some(&deadline) })
            .insert(Header { key: "fusion-hops", value: Some("1") });
        let value = serde_json::to_vec(&QUESTION)?;
        self.open.insert(id, started);
        Ok(Built { topic: self.requests.name.clone(), value, headers })
    }

    /// The time from request to reply.
    fn next_reply(&mut self) -> Result<Duration> {
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.consumer.poll(Duration::from_secs(1)) {
                let message = message?;
                let id =
                    Asked::of(message.headers()).correlation_id.map(Uuid::try_parse_ascii).transpose()?;
                let sum: i64 = serde_json::from_slice(message.payload().unwrap_or_default())?;
                if let Some(started) = id.and_then(|id| self.open.remove(&id)) {
                    return match sum == QUESTION.iter().sum::<i64>() {
                        true => Ok(started.elapsed()),
                        false => Err(format!("the reply was {sum}").into()),
                    };
                }
            }
            if Instant::now() > give_up_at {
                return Err(format!("{} requests are not answered", self.open.len()).into());
            }
        }
    }
}

struct Callee {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Callee {
    fn start(consumer: BaseConsumer, producer: BaseProducer) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("callee".to_owned()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // What was fetched together is answered together.
                let mut message = consumer.poll(Duration::from_millis(50));
                let mut built = Vec::new();
                while let Some(request) = message.take() {
                    built.extend(answer(&request?)?);
                    if built.len() < MOST_AT_ONCE {
                        message = consumer.poll(Duration::ZERO);
                    }
                }
                send_all(&producer, built)?;
            }
            Ok(())
        })?;
        Ok(Callee { stop, thread: Some(thread) })
    }

    /// Why the callee ended, if it did.
    fn failure(&mut self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        thread.join().map_or_else(|_| Some("the callee panicked".into()), Result::err)
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its failure was reported by the request that it left open.
            let _ = thread.join();
        }
    }
}

/// Does for a request what fusion's wire format asks of anyone who answers it.
fn answer(request: &BorrowedMessage<'_>) -> Result<Option<Built>> {
    let asked = Asked::of(request.headers());
    let (Some(reply_topic), Some(correlation_id)) = (asked.reply_topic, asked.correlation_id) else {
        return Ok(None);
    };
    if asked.deadline.is_some_and(|deadline| deadline < now()) || asked.hops.is_some_and(|hops| hops > 16) {
        return Ok(None);
    }
    let list: Vec<i64> = serde_json::from_slice(request.payload().unwrap_or_default())?;
    let sum: i64 = list.iter().sum();
    let headers = OwnedHeaders::new_with_capacity(2)
        .insert(Header { key: "kafka_correlationId", value: Some(correlation_id) })
        .insert(Header { key: "kafka_nest-is-disposed", value: Some(&[0]) });
    let topic = std::str::from_utf8(reply_topic)?.to_owned();
    Ok(Some(Built { topic, value: serde_json::to_vec(&sum)?, headers }))
}

/// A record that is ready to be queued.
struct Built {
    topic: String,
    value: Vec<u8>,
    headers: OwnedHeaders,
}

/// Queues records, as close to each other as can be.
fn send_all(producer: &BaseProducer, all: Vec<Built>) -> Result<()> {
    for Built { topic, value, headers } in all {
        let mut record = BaseRecord::<(), [u8]>::to(&topic).partition(0).payload(&value).headers(headers);
        while let Err((error, back)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.poll(Duration::from_millis(1));
            record = back;
        }
    }
    // Takes the delivery reports that are there.
    producer.poll(Duration::ZERO);
    Ok(())
}

fn writer(brokers: &str, produce_requests: u64) -> Result<BaseProducer> {
    Ok(client(brokers).set("linger.ms", "0").set("max.in.flight", produce_requests.to_string()).create()?)
}

/// Assigned at the topic's end as it is now: what is sent from here on is read, however late the assign settles.
fn reader(topic: &Topic) -> Result<BaseConsumer> {
    let mut config = client(&topic.brokers);
    // Never joined, but without one there is no consumer queue.
    config.set("group.id", format!("bench-{}", Uuid::new_v4())).set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create()?;
    let (_, end) = consumer.fetch_watermarks(&topic.name, 0, PATIENCE)?;
    let mut at = TopicPartitionList::new();
    at.add_partition_offset(&topic.name, 0, Offset::Offset(end))?;
    consumer.assign(&at)?;
    Ok(consumer)
}
