//! Taking what the group gave.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _};
use tokio::sync::mpsc;

use crate::{
    Error,
    consume::{
        lanes::Pressure,
        rebalance::{self, Place},
        shared::Assignment,
        worker::Worker,
    },
    observe::Count,
};

use super::{COMMITTED_LIMIT, Owner, Partition, UNKNOWN, WAITING_BYTES, is_passing};

impl Owner {
    /// Takes what the group gave: from the committed offsets on, never from where librdkafka would choose.
    pub(super) fn assign(&mut self) -> Result<(), Error> {
        let Some(assigning) = &self.assigning else { return Ok(()) };
        if self.revoking.is_some() || self.stopping.is_some() || Instant::now() < self.assign_at {
            return Ok(());
        }
        // Whatever is not known yet is asked for again after a pause, with more patience.
        self.assign_at = Instant::now() + Duration::from_millis(200);
        let limit = self.assign_limit;
        self.assign_limit = (limit * 2).min(COMMITTED_LIMIT.1);
        let wanted = rebalance::list(assigning);
        // Blocks this thread for a round trip. What runs goes on; nothing new is taken meanwhile.
        let known =
            if wanted.count() == 0 { Ok(wanted) } else { self.client.committed_offsets(wanted, limit) };
        let committed = match known {
            Ok(committed) => committed,
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, group = &*self.core.app, "the broker does not say where the group stands yet");
                return Ok(());
            }
            Err(error) => return Err(Error::client("consumer", error)),
        };
        let mut offsets = TopicPartitionList::new();
        let mut starts = Vec::new();
        for element in committed.elements() {
            // Errors of single partitions hide inside `Ok`.
            if let Err(error) = element.error() {
                if !is_passing(&error) {
                    return Err(Error::client("consumer", error));
                }
                tracing::warn!(%error, topic = element.topic(), partition = element.partition(), "no committed offset yet");
                return Ok(());
            }
            let (topic, partition) = (element.topic().to_owned(), element.partition());
            let committed = match element.offset() {
                Offset::Offset(offset) => offset,
                _ => UNKNOWN,
            };
            let offset = match element.offset() {
                Offset::Offset(offset) => Offset::Offset(offset),
                _ if self.beginning.is_end(self.start, &topic, partition) => {
                    match self.client.fetch_watermarks(&topic, partition, limit) {
                        Ok((_, end)) => Offset::Offset(end),
                        Err(error) => {
                            tracing::warn!(%error, topic, partition, "the end of the partition is not known yet");
                            return Ok(());
                        }
                    }
                }
                _ => Offset::Beginning,
            };
            offsets
                .add_partition_offset(&topic, partition, offset)
                .map_err(|error| Error::client("consumer", error))?;
            starts.push(((topic, partition), offset, committed));
        }
        let forwarder = self.queue.forwarder();
        for ((topic, partition), ..) in &starts {
            // A stop undoes it, so it is done again at each assign, and before it.
            if !forwarder.forward(&self.client, topic, *partition) {
                tracing::error!(topic, partition, "the partition could not be forwarded");
            }
        }
        rebalance::assign(&self.client, &offsets).map_err(|error| Error::client("consumer", error))?;
        self.assigning = None;
        self.assign_at = Instant::now();
        self.assign_limit = COMMITTED_LIMIT.0;
        for (place, offset, committed) in starts {
            self.begin(place, offset, committed);
        }
        // The end that `Latest` chose holds from now on, also for whoever has the partition next.
        self.commit(None);
        self.tell_assigned.send_replace(self.partitions.len());
        Ok(())
    }

    fn begin(&mut self, place: Place, offset: Offset, committed: i64) {
        let Some(served) = self.served.get(&place.0).cloned() else {
            tracing::error!(topic = place.0, "a topic that nobody serves was assigned");
            return;
        };
        // Where the beginning is, only the first record tells. A commit of 0 would be a gap if the log begins later.
        let start = match offset {
            Offset::Offset(offset) => offset,
            _ => UNKNOWN,
        };
        let assignment = Arc::new(Assignment::new(start, thread::current()));
        let (batches, receiver) = mpsc::unbounded_channel();
        let worker = Worker::new(self.core.clone(), served, place.1, start, assignment.clone(), receiver);
        self.runtime.spawn(worker);
        self.core.counters.one(Count::Assigned);
        let partition = Partition {
            place: place.clone(),
            assignment,
            batches,
            committed,
            paused: false,
            blocked: 0,
            taken: Vec::new(),
        };
        if let Some(old) = self.partitions.insert(place, partition) {
            // Its revoke was never told.
            old.assignment.abandon();
        }
        self.set_pressure();
    }

    /// Whether there is room is per partition: a slow key must not stop the others.
    pub(super) fn set_pressure(&mut self) {
        let all = self.core.settings.in_flight;
        // With very many partitions, each still has enough for its lanes.
        let share = (all / self.partitions.len().max(1)).max(all.min(64));
        self.pressure = Pressure::new(share, WAITING_BYTES);
    }
}
