//! From librdkafka's queues to the workers, each partition as fast as its own worker.

use std::time::Instant;

use rdkafka::consumer::BaseConsumer;

use crate::{
    Error,
    broker::ffi::{self, Batch, Message, MessageError},
    consume::{rebalance::GroupContext, shared::Load},
    observe::{Count, Counters},
};

use super::{
    BATCH, Owner, Partition, TICK,
    bounds::{Bounds, Used},
};

impl Owner {
    /// Gives records to the workers that have room; `true` if there is more. What is not taken stays with librdkafka,
    /// which fetches no more of a partition than its buffer holds: so workers set the pace.
    pub(super) fn hand_over(&mut self) -> Result<bool, Error> {
        let now = Instant::now();
        let look = now >= self.look_at;
        if look {
            self.look_at = now + TICK;
        }
        let loads = self.partitions.values().map(|partition| partition.assignment.load());
        let mut used = self.bounds.used(loads);
        let mut more = false;
        for partition in self.partitions.values_mut() {
            // Of a partition that is on its way out nothing new begins.
            if !(partition.queue.has_rung() || look) || partition.assignment.is_stopping() {
                continue;
            }
            let room = partition.room(&self.bounds, used, &self.core.counters).min(BATCH);
            if room == 0 {
                partition.queue.ring();
                continue;
            }
            let mut messages = Vec::new();
            if self.taker.take(&partition.queue, room, &mut messages) == room {
                partition.queue.ring();
                more = true;
            }
            let before = partition.assignment.load();
            let given = partition.hand_over(messages, &self.client, &self.core.counters)?;
            self.gaps.found |= partition.gap.is_some();
            self.bounds.add(&mut used, before, before.with(given));
        }
        Ok(more)
    }
}

impl Partition {
    /// How many records the worker may be given. If there are none, the thread is woken when it has come to what it has.
    fn room(&mut self, bounds: &Bounds, used: Used, counters: &Counters) -> usize {
        let load = self.assignment.load();
        if let Some(low) = self.held_back {
            if !load.is_within(low) {
                return 0;
            }
            self.held_back = None;
        }
        let room = bounds.room(load, used);
        if room > 0 {
            return room;
        }
        let low = bounds.low(load, used);
        // In this order: what is finished meanwhile is seen by one of both.
        self.assignment.wake_at(low);
        let load = self.assignment.load();
        if load.is_within(low) {
            return bounds.room(load, used);
        }
        self.held_back = Some(low);
        counters.one(Count::Pauses);
        0
    }

    fn hand_over(
        &mut self,
        mut messages: Vec<Message>,
        client: &BaseConsumer<GroupContext>,
        counters: &Counters,
    ) -> Result<Load, Error> {
        if self.service.commits()
            && let Some(end) = ffi::known_end(client, &self.place.0, self.place.1)
        {
            self.assignment.reaches(end);
        }
        let (mut bytes, mut ends) = (0, 0);
        for message in &messages {
            bytes += message.byte_size();
            match message.error() {
                None => self.next = message.offset() + 1,
                Some(MessageError::EndOfPartition) => {
                    self.next = self.next.max(message.offset());
                    ends += 1;
                }
                Some(MessageError::OffsetOutOfRange) => {
                    self.gap = Some(message.offset()).filter(|offset| *offset >= 0).or(Some(self.next));
                }
                Some(error) => {
                    let (topic, partition) = (&*self.place.0, self.place.1);
                    tracing::warn!(topic, partition, ?error, "{}", message.error_text());
                }
            }
        }
        let records = messages.iter().filter(|message| message.error().is_none()).count();
        if records + ends < messages.len() || ends > 0 && !self.service.sees_ends() {
            messages.retain(|message| match message.error() {
                None => true,
                Some(error) => error == MessageError::EndOfPartition && self.service.sees_ends(),
            });
        }
        let given = Load { records: messages.len(), waiting_bytes: 0, batched_bytes: bytes };
        if messages.is_empty() {
            return Ok(given);
        }
        counters.add(Count::Records, records as u64);
        self.assignment.hand_over(given.records, given.batched_bytes);
        match self.batches.send(Batch::from(messages)) {
            Ok(()) => Ok(given),
            Err(_) => {
                // Nobody told it to end: what a handler holds panicked when it was dropped, or the runtime ends.
                let (topic, partition) = &self.place;
                let reason =
                    format!("the worker of topic `{topic}`, partition {partition} has ended by itself");
                Err(Error::Fatal { client: "consumer", reason })
            }
        }
    }
}
