//! A commit whose outcome is told.

use std::ptr;

use rdkafka::TopicPartitionList;
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError as _, KafkaError, KafkaResult};

use super::queue::events;

/// Commits without waiting. Each commit that was taken brings one call of the context's `commit_callback`, inside a
/// later poll.
///
/// `Consumer::commit` with `CommitMode::Async` does not: what librdkafka says to it goes to a callback of the
/// configuration, which rust-rdkafka no longer sets, and to nobody if there is none
/// (`rd_kafka_cgrp_propagate_commit_result`).
pub fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    offsets: &TopicPartitionList,
) -> KafkaResult<()> {
    let Some(queue) = events(consumer) else {
        return Err(KafkaError::ConsumerCommit(rdkafka::types::RDKafkaErrorCode::UnknownGroup));
    };
    // SAFETY: client, offsets and queue are alive during the call; librdkafka copies the offsets and takes a reference
    // of its own to the queue. Without a callback the outcome is an event in that queue.
    let error = unsafe {
        sys::rd_kafka_commit_queue(
            consumer.client().native_ptr(),
            offsets.ptr(),
            queue.as_ptr(),
            None,
            ptr::null_mut(),
        )
    };
    if error.is_error() { Err(KafkaError::ConsumerCommit(error.into())) } else { Ok(()) }
}
