//! The limit: librdkafka's batch call on one thread, each record decoded and added to its key's sum.

#![expect(unsafe_code, reason = "the batch call and its messages have no safe wrapper in rdkafka")]

use std::collections::HashMap;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::load::{GRACE, Gathered, Load, RESULTS, SIZE, SOURCES, Sums, Trigger, producer, send};
use crate::Result;
use crate::load::PATIENCE;
use crate::raw_consume::{BATCH, OwnQueue, TICK};
use crate::report::{Clock, Measure};

/// As often as fusion does.
const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// What is open, by the start of the window and the key.
#[derive(Default)]
struct Open {
    windows: Vec<(i64, HashMap<String, Sums>)>,
    newest: i64,
    /// How many have closed, each key's counted for itself.
    closed: u64,
    /// Sends their results.
    producer: Option<BaseProducer>,
}

impl Open {
    fn add(&mut self, trigger: Trigger, time: i64) {
        let start = time - time.rem_euclid(SIZE);
        let found = self.windows.iter().rposition(|(window, _)| *window == start);
        let window = found.unwrap_or_else(|| {
            self.windows.push((start, HashMap::new()));
            self.windows.len() - 1
        });
        let sums = self.windows[window].1.entry(trigger.id).or_default();
        sums.count += 1;
        sums.sum += trigger.value;
        self.newest = self.newest.max(time);
    }

    /// Between batches. With as much time again as the grace, because partitions are not read evenly.
    fn close(&mut self) -> Result<()> {
        self.close_up_to(self.newest - 2 * SIZE - GRACE)
    }

    /// Windows that begin at `last` or before.
    fn close_up_to(&mut self, last: i64) -> Result<()> {
        for (start, window) in self.windows.extract_if(.., |(start, _)| *start <= last) {
            self.closed += window.len() as u64;
            let Some(producer) = &self.producer else { continue };
            for (id, Sums { count, sum }) in window {
                let value = serde_json::to_vec(&Gathered { id: id.clone(), start, count, sum })?;
                send(producer, BaseRecord::to(RESULTS).key(&id).payload(&value).timestamp(start + SIZE - 1))?;
            }
            producer.poll(Duration::ZERO);
        }
        Ok(())
    }
}

/// When the clock starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// With the first record.
    First,
    /// With the assignment.
    Assignment,
}

/// Reads the whole load; `sends` the results, too, without any promise.
pub(crate) fn raw(load: &Load, from: From, sends: bool) -> Result<Measure> {
    let consumer = OwnQueue::subscribe(&load.brokers, &SOURCES)?;
    let mut batch = [ptr::null_mut(); BATCH];
    // By topic, whose handle librdkafka keeps one of.
    let mut next: HashMap<(*mut sys::rd_kafka_topic_t, i32), i64> = HashMap::new();
    let producer = sends.then(|| producer(&load.brokers, 5)).transpose()?;
    let mut open = Open { producer, ..Open::default() };
    let mut seen = 0;
    let mut clock = None;
    let mut commit_at = Instant::now() + COMMIT_EVERY;
    let mut give_up_at = Instant::now() + PATIENCE;
    while seen < load.messages {
        let taken = consumer.take(&mut batch);
        consumer.serve_events()?;
        if from == From::Assignment && clock.is_none() && consumer.inner.assignment()?.count() > 0 {
            clock = Some(Clock::start());
        }
        if taken.is_empty() {
            if Instant::now() > give_up_at {
                return Err(format!("{seen} of {} messages came", load.messages).into());
            }
            thread::park_timeout(TICK);
            continue;
        }
        clock.get_or_insert_with(Clock::start);
        let mut failed = None;
        for message in taken {
            // SAFETY: the batch call handed it over; it is destroyed below, after its last use.
            match unsafe { handle(*message, &mut open) } {
                Ok((topic, partition, offset)) => drop(next.insert((topic, partition), offset + 1)),
                Err(error) => failed = Some(error),
            }
            // SAFETY: as above; every message taken gets here once.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
        if let Some(error) = failed {
            return Err(error);
        }
        seen += taken.len() as u64;
        open.close()?;
        let now = Instant::now();
        give_up_at = now + PATIENCE;
        if now >= commit_at {
            consumer.inner.commit(&offsets(&next)?, CommitMode::Async)?;
            commit_at = now + COMMIT_EVERY;
        }
    }
    if sends {
        // Without that of the closers.
        open.close_up_to(open.newest - SIZE)?;
    }
    if let Some(producer) = &open.producer {
        producer.flush(PATIENCE)?;
    }
    let measure = clock.map(|clock| clock.stop(seen)).ok_or("an empty load")?;
    consumer.inner.commit(&offsets(&next)?, CommitMode::Sync)?;
    let still: usize = open.windows.iter().map(|(_, window)| window.len()).sum();
    if open.closed + (still as u64) < load.results() {
        return Err(format!("{} windows closed, {still} open", open.closed).into());
    }
    Ok(measure)
}

/// # Safety
/// The message must come from the batch call and not be destroyed yet.
unsafe fn handle(
    message: *mut sys::rd_kafka_message_t,
    open: &mut Open,
) -> Result<(*mut sys::rd_kafka_topic_t, i32, i64)> {
    // SAFETY: a live message's payload is valid for as long as it is.
    unsafe {
        let time = sys::rd_kafka_message_timestamp(message, ptr::null_mut());
        let message = &*message;
        if message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(format!("librdkafka: {:?}", message.err).into());
        }
        std::hint::black_box(has_content_type(message));
        let payload = std::slice::from_raw_parts(message.payload.cast::<u8>(), message.len);
        let trigger: Trigger = serde_json::from_slice(payload)?;
        std::hint::black_box(&trigger);
        open.add(trigger, time);
        Ok((message.rkt, message.partition, message.offset))
    }
}

/// Whether a header names another format than JSON, as on fusion's side.
///
/// # Safety
/// The message must be alive.
unsafe fn has_content_type(message: &sys::rd_kafka_message_t) -> bool {
    let (mut headers, mut value, mut size) = (ptr::null_mut(), ptr::null(), 0);
    // SAFETY: headers live as long as their message.
    unsafe {
        sys::rd_kafka_message_headers(message, &mut headers) == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
            && sys::rd_kafka_header_get_last(headers, c"content-type".as_ptr(), &mut value, &mut size)
                == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
    }
}

fn offsets(next: &HashMap<(*mut sys::rd_kafka_topic_t, i32), i64>) -> Result<TopicPartitionList> {
    let mut offsets = TopicPartitionList::new();
    for ((topic, partition), next) in next {
        // SAFETY: a topic's handle lives as long as its client.
        let name = unsafe { std::ffi::CStr::from_ptr(sys::rd_kafka_topic_name(*topic)) };
        offsets.add_partition_offset(name.to_str()?, *partition, Offset::Offset(*next))?;
    }
    Ok(offsets)
}
