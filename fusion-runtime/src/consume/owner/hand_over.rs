//! From the queue to the workers, and back-pressure.

use std::time::Instant;

use rdkafka::{TopicPartitionList, consumer::Consumer as _};

use crate::{
    Error,
    broker::ffi::{self, Batch, Message, MessageError},
    consume::{rebalance::Place, shared::Load},
    observe::Count,
};

use super::{BATCH, FULL_LIMIT, Owner, Partition};

/// What there is too much of.
enum Full {
    Records,
    Bytes,
}

impl Owner {
    /// Gives every partition's records to its worker.
    pub(super) fn hand_over(&mut self, messages: &mut Vec<Message>) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut touched: Vec<Place> = Vec::new();
        for message in messages.drain(..) {
            if let Some(error) = message.error() {
                self.message_error(&message, error)?;
                if error != MessageError::EndOfPartition {
                    continue;
                }
            }
            let key = (message.topic_handle(), message.partition());
            let place = match &self.last {
                Some((last, place)) if *last == key => place,
                _ => {
                    let place = self
                        .by_place
                        .entry(key)
                        .or_insert_with(|| (message.topic().to_owned(), message.partition()))
                        .clone();
                    &self.last.insert((key, place)).1
                }
            };
            // A partition that is on its way out, or gone: what librdkafka had fetched of it is dropped.
            let partition = self.partitions.get_mut(place);
            let wanted = |partition: &&mut Partition| {
                !partition.assignment.is_stopping()
                    && (message.error().is_none() || partition.service.sees_ends())
            };
            let Some(partition) = partition else { continue };
            let behind = i64::from(message.error().is_none());
            partition.next = partition.next.max(message.offset() + behind);
            if wanted(&partition) {
                if partition.taken.is_empty() {
                    touched.push(place.clone());
                }
                partition.taken.push(message);
            }
        }
        for place in touched {
            let Some(partition) = self.partitions.get_mut(&place) else { continue };
            let bytes = partition.taken.iter().map(Message::byte_size).sum();
            if partition.service.commits()
                && let Some(end) = ffi::known_end(&self.client, &place.0, place.1)
            {
                partition.assignment.reaches(end);
            }
            let ends = match partition.service.sees_ends() {
                true => partition.taken.iter().filter(|message| message.error().is_some()).count(),
                false => 0,
            };
            let batch = Batch::from(std::mem::take(&mut partition.taken));
            self.core.counters.add(Count::Records, (batch.len() - ends) as u64);
            partition.assignment.hand_over(batch.len(), bytes);
            if partition.batches.send(batch).is_err() {
                // Nobody told it to end: what a handler holds panicked when it was dropped, or the runtime ends.
                let reason =
                    format!("the worker of topic `{}`, partition {} has ended by itself", place.0, place.1);
                return Err(Error::Fatal { client: "consumer", reason });
            }
            if !partition.paused && self.pressure.is_heavy(partition.assignment.waiting_bytes()) {
                self.pause(&place);
            }
        }
        Ok(())
    }

    /// How many records may be taken. What is not taken stays with librdkafka, which bounds it; that is how the workers
    /// set the pace. If it does not help, because some partitions are stuck, these are paused, and the others go on by
    /// less than their share at a time: so a bound for all remains, which grows with the partitions, but by little.
    pub(super) fn room(&mut self) -> usize {
        let limit = self.core.settings.in_flight;
        let Some(full) = self.full() else {
            self.full_since = None;
            return BATCH.min(limit);
        };
        // Before the second look: whatever is finished from here on wakes this thread.
        let low = match full {
            Full::Records => Load { records: self.pressure.low().0, ..Load::MAX },
            Full::Bytes => Load { batched_bytes: self.byte_share() / 2, ..Load::MAX },
        };
        let reading = self.partitions.values().filter(|partition| !partition.paused);
        reading.for_each(|partition| partition.assignment.wake_at(low));
        if self.full().is_none() {
            return BATCH.min(limit);
        }
        if self.full_since.get_or_insert_with(Instant::now).elapsed() < FULL_LIMIT {
            return 0;
        }
        let stuck = |partition: &&Partition| {
            let load = partition.assignment.load();
            let much = load.batched_bytes >= self.byte_share() || self.pressure.should_pause(load.records, 0);
            !partition.paused && much
        };
        let stuck: Vec<Place> =
            self.partitions.values().filter(stuck).map(|partition| partition.place.clone()).collect();
        stuck.iter().for_each(|place| self.pause(place));
        self.pressure.low().0.clamp(1, BATCH)
    }

    /// Whether workers hold as much as they may. They may hold as many bytes that they have not come to as librdkafka
    /// may hold for them.
    fn full(&self) -> Option<Full> {
        let settings = &self.core.settings;
        let (mut records, mut bytes) = (0, 0);
        for partition in self.partitions.values() {
            let load = partition.assignment.load();
            records += load.records;
            bytes += load.batched_bytes;
        }
        if records >= settings.in_flight {
            Some(Full::Records)
        } else if bytes >= settings.fetch_buffer.max(1) {
            Some(Full::Bytes)
        } else {
            None
        }
    }

    /// A partition's part of the bytes that workers may not have come to.
    fn byte_share(&self) -> usize {
        (self.core.settings.fetch_buffer / self.partitions.len().max(1)).max(1)
    }

    pub(super) fn pause(&mut self, place: &Place) {
        let Some(partition) = self.partitions.get_mut(place) else { return };
        let mut list = TopicPartitionList::new();
        list.add_partition(&place.0, place.1);
        match self.client.pause(&list) {
            Ok(()) => {
                partition.paused = true;
                self.core.counters.one(Count::Pauses);
            }
            Err(error) => tracing::debug!(%error, topic = place.0, partition = place.1, "pause"),
        }
    }

    pub(super) fn resume(&mut self) {
        let mut list = TopicPartitionList::new();
        let (records, waiting_bytes) = self.pressure.low();
        let low = Load { records, waiting_bytes, batched_bytes: self.byte_share() / 2 };
        for partition in self.partitions.values_mut().filter(|partition| partition.paused) {
            partition.assignment.wake_at(low);
            let load = partition.assignment.load();
            let light = load.batched_bytes <= low.batched_bytes;
            if light && self.pressure.should_resume(load.records, load.waiting_bytes) {
                partition.paused = false;
                list.add_partition(&partition.place.0, partition.place.1);
            }
        }
        if list.count() > 0
            && let Err(error) = self.client.resume(&list)
        {
            tracing::debug!(%error, "resume");
        }
    }

    pub(super) fn message_error(&mut self, message: &Message, error: MessageError) -> Result<(), Error> {
        let (topic, partition) = (message.topic(), message.partition());
        match error {
            MessageError::EndOfPartition => Ok(()),
            MessageError::OffsetOutOfRange
                if self.partitions.contains_key(&(topic.to_owned(), partition)) =>
            {
                self.found_gap((topic.to_owned(), partition), message.offset())
            }
            error => {
                tracing::warn!(topic, partition, ?error, "{}", message.error_text());
                Ok(())
            }
        }
    }
}
