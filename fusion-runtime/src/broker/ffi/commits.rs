//! Commits whose outcome comes back.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use sys::rd_kafka_resp_err_t as Code;

use super::Offsets;
use super::queue::{KeepAlive, Queue};

/// Commits a consumer's offsets without waiting, and tells what became of each commit.
///
/// With rust-rdkafka's own asynchronous commit nobody is told: librdkafka reports to a queue that is given with the
/// commit, or to a callback of the configuration, and rust-rdkafka sets neither, so that
/// `ConsumerContext::commit_callback` is never called. Its synchronous commit waits for a coordinator without an end.
///
/// It keeps the consumer alive, so drop it first.
pub struct Commits {
    queue: Queue,
    pending: usize,
    client: *mut sys::rd_kafka_t,
    _client: KeepAlive,
}

// SAFETY: `client` is kept alive, and librdkafka's calls may come from any thread.
unsafe impl Send for Commits {}

impl Commits {
    /// For the commits of this consumer.
    pub fn new<C>(consumer: &Arc<BaseConsumer<C>>) -> Commits
    where
        C: ConsumerContext + 'static,
    {
        let client = consumer.client().native_ptr();
        // SAFETY: the client is alive; the queue that comes back is ours.
        let queue = unsafe { Queue::owned(sys::rd_kafka_queue_new(client)) };
        let queue = queue.expect("librdkafka aborts the process when it cannot allocate");
        Commits { queue, pending: 0, client, _client: consumer.clone() }
    }

    /// Sends a commit.
    pub fn send(&mut self, offsets: &TopicPartitionList) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: client, list and queue are alive; the list is copied. Without a callback the outcome stays in the
        // queue.
        let code = unsafe {
            let queue = self.queue.as_ptr();
            sys::rd_kafka_commit_queue(self.client, offsets.ptr(), queue, None, ptr::null_mut())
        };
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(code.into());
        }
        self.pending += 1;
        Ok(())
    }

    /// Sends a commit of offsets with what stands beside them.
    pub fn send_offsets(&mut self, offsets: &Offsets) -> Result<(), RDKafkaErrorCode> {
        self.send(offsets.list())
    }

    /// How many commits have no outcome yet.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// The next outcome, waited for at most so long. The error of a single partition is that of its commit.
    pub fn outcome(&mut self, limit: Duration) -> Option<Result<(), RDKafkaErrorCode>> {
        if self.pending == 0 {
            return None;
        }
        let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive; the event is ours, its list is its own and as long as it says.
        let code = unsafe {
            let event = sys::rd_kafka_queue_poll(self.queue.as_ptr(), millis);
            if event.is_null() {
                return None;
            }
            let mut code = sys::rd_kafka_event_error(event);
            let list = sys::rd_kafka_event_topic_partition_list(event);
            if !list.is_null() {
                for index in 0..usize::try_from((*list).cnt).unwrap_or(0) {
                    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                        code = (*(*list).elems.add(index)).err;
                    }
                }
            }
            sys::rd_kafka_event_destroy(event);
            code
        };
        self.pending -= 1;
        Some(if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) })
    }
}
