//! The consumer's context: it only records what happens, for the owner's loop to act on.
//!
//! The hooks run inside `poll`. An assign or a revoke is answered later, by the loop: librdkafka waits for that, and
//! meanwhile the group's other members wait for `max.poll.interval.ms` at most.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use crate::broker::{Errors, context_log};

/// A partition of a topic.
pub(super) type Place = (String, i32);

/// What a consumer group asks of its member.
#[derive(Clone, Debug)]
pub(super) enum Rebalance {
    Assign(Vec<Place>),
    Revoke(Vec<Place>),
}

#[derive(Default)]
pub(super) struct GroupContext {
    rebalances: Mutex<Vec<Rebalance>>,
    fatal: Mutex<Option<String>>,
    errors: Errors,
    /// While the client closes, nobody else answers.
    closing: AtomicBool,
}

impl GroupContext {
    pub(super) fn take_rebalances(&self) -> Vec<Rebalance> {
        std::mem::take(&mut *self.rebalances.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn take_fatal(&self) -> Option<String> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.report(&error, reason);
        if matches!(error, KafkaError::ClientCreation(_))
            || error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::Fatal)
        {
            *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        error: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let places = partitions.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect();
        let assign = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let rebalance = if assign { Rebalance::Assign(places) } else { Rebalance::Revoke(places) };
        if self.closing.load(Ordering::Acquire) {
            decline(consumer, &rebalance);
            return;
        }
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push(rebalance);
    }
}

/// Gives partitions to librdkafka, from these offsets on.
pub(super) fn assign(
    consumer: &BaseConsumer<GroupContext>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        _ => consumer.assign(partitions),
    }
}

/// Takes partitions from librdkafka, which acknowledges the revoke.
pub(super) fn unassign(consumer: &BaseConsumer<GroupContext>, partitions: &TopicPartitionList) {
    let result = match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    };
    if let Err(error) = result {
        // It has lost them already, then.
        tracing::debug!(%error, "unassign");
    }
}

/// Answers what nobody can act on any more, an assign by an assign. Closing, librdkafka 2.12 gets over most that is
/// unanswered by itself, but skips that where the assignment was lost (`rd_kafka_cgrp_unsubscribe`).
pub(super) fn decline(consumer: &BaseConsumer<GroupContext>, rebalance: &Rebalance) {
    match rebalance {
        Rebalance::Assign(_) => {
            if let Err(error) = assign(consumer, &TopicPartitionList::new()) {
                tracing::debug!(%error, "assign");
            }
        }
        Rebalance::Revoke(places) => unassign(consumer, &list(places)),
    }
}

/// Partitions without offsets.
pub(super) fn list(places: &[Place]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in places {
        list.add_partition(topic, *partition);
    }
    list
}

/// Whether librdkafka says that the assignment was lost: then nothing of it may be committed.
pub(super) fn is_lost(consumer: &BaseConsumer<GroupContext>) -> bool {
    consumer.assignment_lost()
}
