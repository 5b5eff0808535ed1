//! The limit: librdkafka's batch call on one thread, doing for each message what any side has to do.
//!
//! The batch call must not be used on the consumer queue of a group, where it answers every rebalance with an
//! unassign. So partitions are forwarded to a queue of our own, in the rebalance hook and before the assign,
//! and the consumer queue is polled for events only.

#![expect(unsafe_code, reason = "the batch call and its messages have no safe wrapper in rdkafka")]

use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use crate::Result;
use crate::load::{Asked, COMMIT_EVERY, Load, Order, PATIENCE, member};
use crate::report::{Clock, Measure};

pub(crate) const BATCH: usize = 1024;

/// The nonempty callback is edge-triggered and has lost edges before (rust-rdkafka #638), so look now and then.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Reads the whole load: decode, headers, offsets, commits.
pub(crate) fn raw_consume(load: &Load) -> Result<Measure> {
    let consumer = OwnQueue::subscribe(&load.topic.brokers, &[&load.topic.name])?;
    let mut batch = [ptr::null_mut(); BATCH];
    let mut next = vec![0; load.partitions as usize];
    let mut seen = 0;
    let mut clock = None;
    let mut commit_at = Instant::now() + COMMIT_EVERY;
    let mut give_up_at = Instant::now() + PATIENCE;
    while seen < load.messages {
        let taken = consumer.take(&mut batch);
        consumer.serve_events()?;
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
            match unsafe { handle(*message) } {
                // In order on one thread, so the last finished is the lowest contiguous one.
                Ok((partition, offset)) => next[partition] = offset + 1,
                Err(error) => failed = Some(error),
            }
            // SAFETY: as above; every message taken gets here once. One left alive would make closing illegal.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
        if let Some(error) = failed {
            return Err(error);
        }
        seen += taken.len() as u64;
        let now = Instant::now();
        give_up_at = now + PATIENCE;
        if now >= commit_at {
            consumer.inner.commit(&load.offsets(&next)?, CommitMode::Async)?;
            commit_at = now + COMMIT_EVERY;
        }
    }
    let measure = clock.map(|clock| clock.stop(seen)).ok_or("an empty load")?;
    consumer.inner.commit(&load.offsets(&next)?, CommitMode::Sync)?;
    load.expect_committed(&consumer.inner)?;
    Ok(measure)
}

/// # Safety
/// The message must come from the batch call and not be destroyed yet.
unsafe fn handle(message: *mut sys::rd_kafka_message_t) -> Result<(usize, i64)> {
    // SAFETY: a live message's payload and headers are valid for as long as it is.
    unsafe {
        let message = &*message;
        if message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(format!("librdkafka: {:?}", message.err).into());
        }
        std::hint::black_box(asked(message));
        let payload = std::slice::from_raw_parts(message.payload.cast::<u8>(), message.len);
        let order: Order = serde_json::from_slice(payload)?;
        std::hint::black_box(order);
        Ok((message.partition as usize, message.offset))
    }
}

/// # Safety
/// The message must be alive.
unsafe fn asked(message: &sys::rd_kafka_message_t) -> Asked<'_> {
    let mut asked = Asked::default();
    let mut headers = ptr::null_mut();
    // SAFETY: names are C strings, values have the length given with them, and both live as long as the message.
    unsafe {
        if sys::rd_kafka_message_headers(message, &mut headers) == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            let mut index = 0;
            while sys::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size)
                == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
            {
                let bytes = if value.is_null() {
                    &[][..]
                } else {
                    std::slice::from_raw_parts(value.cast::<u8>(), size)
                };
                asked.see(CStr::from_ptr(name).to_bytes(), bytes);
                index += 1;
            }
        }
    }
    asked
}

/// A group member whose messages arrive on a queue of its own.
pub(crate) struct OwnQueue {
    pub(crate) inner: BaseConsumer<Forward>,
    queue: *mut sys::rd_kafka_queue_t,
    /// Who parks when both queues are empty. Boxed: librdkafka keeps its address.
    _parked: Box<Thread>,
}

impl OwnQueue {
    pub(crate) fn subscribe(brokers: &str, topics: &[&str]) -> Result<Self> {
        let mut inner: BaseConsumer<Forward> = member(brokers).create_with_context(Forward::default())?;
        let waker = thread::current();
        inner.set_nonempty_callback(move || waker.unpark());
        let parked = Box::new(thread::current());
        // SAFETY: the client is alive; the queue is destroyed before it, in `drop`, which also ends the callback.
        let queue = unsafe {
            let queue = sys::rd_kafka_queue_new(inner.client().native_ptr());
            sys::rd_kafka_queue_cb_event_enable(
                queue,
                Some(unpark),
                ptr::from_ref(&*parked).cast_mut().cast(),
            );
            queue
        };
        inner.context().queue.store(queue, Ordering::Release);
        inner.subscribe(topics)?;
        Ok(OwnQueue { inner, queue, _parked: parked })
    }

    /// Without a wait: with one, the call waits all of it for a full batch.
    pub(crate) fn take<'a>(
        &self,
        batch: &'a mut [*mut sys::rd_kafka_message_t; BATCH],
    ) -> &'a [*mut sys::rd_kafka_message_t] {
        // SAFETY: the queue is alive, only this thread reads it, and the batch has room for BATCH pointers.
        let taken = unsafe { sys::rd_kafka_consume_batch_queue(self.queue, 0, batch.as_mut_ptr(), BATCH) };
        &batch[..taken.max(0) as usize]
    }

    /// Rebalances and commit results; a message here would be one that was not forwarded.
    pub(crate) fn serve_events(&self) -> Result<()> {
        match self.inner.poll(Duration::ZERO) {
            None => Ok(()),
            Some(Ok(_)) => Err("a message came on the consumer queue".into()),
            Some(Err(error)) => Err(error.into()),
        }
    }
}

impl Drop for OwnQueue {
    fn drop(&mut self) {
        self.inner.context().queue.store(ptr::null_mut(), Ordering::Release);
        // SAFETY: made in `subscribe`, destroyed only here, and before the client, as librdkafka asks. Partitions
        // that still forward to it hold a reference of their own.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

unsafe extern "C" fn unpark(_: *mut sys::rd_kafka_t, parked: *mut c_void) {
    // SAFETY: `OwnQueue::_parked`, which outlives the callback.
    unsafe { (*parked.cast::<Thread>()).unpark() };
}

#[derive(Default)]
pub(crate) struct Forward {
    queue: AtomicPtr<sys::rd_kafka_queue_t>,
}

impl ClientContext for Forward {}

impl ConsumerContext for Forward {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assign = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let queue = self.queue.load(Ordering::Acquire);
        if assign && !queue.is_null() {
            for element in partitions.elements() {
                let topic = CString::new(element.topic()).expect("a topic's name has no NUL");
                // SAFETY: client and queue are alive; the partition's queue is ours to release.
                unsafe {
                    let native = consumer.client().native_ptr();
                    let from = sys::rd_kafka_queue_get_partition(native, topic.as_ptr(), element.partition());
                    sys::rd_kafka_queue_forward(from, queue);
                    sys::rd_kafka_queue_destroy(from);
                }
            }
        }
        let done = match (assign, consumer.rebalance_protocol()) {
            (true, RebalanceProtocol::Cooperative) => consumer.incremental_assign(partitions),
            (true, _) => consumer.assign(partitions),
            (false, RebalanceProtocol::Cooperative) => consumer.incremental_unassign(partitions),
            (false, _) => consumer.unassign(),
        };
        if let Err(error) = done {
            eprintln!("rebalance: {error}");
        }
    }
}
