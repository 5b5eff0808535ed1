//! Taking what the group gave.

use std::{
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaError};
use tokio::sync::mpsc;

use crate::{
    Error,
    broker::{
        OnGap,
        ffi::{self, PartitionQueue},
    },
    consume::{
        metadata::{CommitMetadata, left_behind},
        rebalance::{self, Place},
        service::Taken,
        shared::Assignment,
    },
    observe::Count,
};

use super::{COMMITTED_LIMIT, Owner, Partition, UNKNOWN, bounds::Bounds, gap::GONE, is_passing};

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
        let wanted = assigning.iter().map(|(topic, partition)| (topic.as_str(), *partition));
        // Blocks this thread for a round trip. What runs goes on; nothing new is taken meanwhile.
        let known = match ffi::committed(&self.client, wanted, limit) {
            Ok(known) => known,
            Err(error) if is_passing(&KafkaError::OffsetFetch(error)) => {
                tracing::warn!(%error, group = &*self.core.app, "the broker does not say where the group stands yet");
                return Ok(());
            }
            Err(error) => return Err(Error::client("consumer", KafkaError::OffsetFetch(error))),
        };
        let mut offsets = TopicPartitionList::new();
        let mut starts = Vec::new();
        for committed in known {
            let (topic, partition) = (committed.topic.as_str(), committed.partition);
            if let Some(error) = committed.error {
                let error = KafkaError::OffsetFetch(error);
                if !is_passing(&error) {
                    return Err(Error::client("consumer", error));
                }
                tracing::warn!(%error, topic, partition, "no committed offset yet");
                return Ok(());
            }
            let service = self.services.get(topic);
            let itself = service.is_some_and(|service| service.commits());
            // A log of our own is never read from its end: others may have written into it already.
            let at_end = self.beginning.is_end(self.start, topic, partition)
                && !service.is_some_and(|service| service.is_log());
            let partial = self.core.settings.on_gap == OnGap::Partial;
            // Whoever commits by itself has to know where it begins, and where what it left behind must end.
            let watermarks = if itself || partial || committed.offset.is_none() && at_end {
                match self.client.fetch_watermarks(topic, partition, limit) {
                    Ok(watermarks) => Some(watermarks),
                    Err(error) => {
                        tracing::warn!(%error, topic, partition, "the end of the partition is not known yet");
                        return Ok(());
                    }
                }
            } else {
                None
            };
            let gap = committed.offset.zip(watermarks).is_some_and(|(offset, (start, _))| offset < start);
            let offset = match (committed.offset, watermarks) {
                (Some(_), Some((start, _))) if gap && partial => Offset::Offset(start),
                (Some(offset), _) => Offset::Offset(offset),
                (None, Some((_, end))) if at_end => Offset::Offset(end),
                (None, Some((start, _))) => Offset::Offset(start),
                (None, None) => Offset::Beginning,
            };
            let left = watermarks
                .filter(|_| itself)
                .and_then(|(_, end)| left_behind(&committed, end, &self.core.counters));
            offsets
                .add_partition_offset(topic, partition, offset)
                .map_err(|error| Error::client("consumer", error))?;
            starts.push(Found {
                place: (committed.topic, committed.partition),
                offset,
                committed: committed.offset.unwrap_or(UNKNOWN),
                left,
                gap: gap && partial,
                end: watermarks.map(|(_, end)| end),
            });
        }
        // A stop undoes it, so it is done again at each assign, and before it.
        let split = |found: Found| {
            let (topic, partition) = (&found.place.0, found.place.1);
            PartitionQueue::split(&self.client, topic, partition, thread::current())
                .map(|queue| (found, queue))
        };
        let starts: Vec<_> = starts.into_iter().filter_map(split).collect();
        rebalance::assign(&self.client, &offsets).map_err(|error| Error::client("consumer", error))?;
        self.assigning = None;
        self.assign_at = Instant::now();
        self.assign_limit = COMMITTED_LIMIT.0;
        self.publish_membership();
        for (found, queue) in starts {
            self.report_gap(&found);
            self.begin(found, queue);
        }
        // The end that `Latest` chose holds from now on, also for whoever has the partition next.
        self.commit(None);
        self.tell_assigned.send_replace(self.partitions.len());
        Ok(())
    }

    fn report_gap(&self, found: &Found) {
        if let Found {
            place: (topic, partition), offset: Offset::Offset(start), committed, gap: true, ..
        } = found
        {
            self.core.counters.one(Count::Gaps);
            tracing::warn!(
                topic,
                partition,
                offset = committed,
                next = start,
                records = start - committed,
                "{GONE}"
            );
        }
    }

    fn begin(&mut self, found: Found, queue: PartitionQueue) {
        let Found { place, offset, committed, left, end, .. } = found;
        let Some(service) = self.services.get(&place.0).cloned() else {
            tracing::error!(topic = place.0, "a topic that nobody serves was assigned");
            return;
        };
        // Where the beginning is, only the first record tells. A commit of 0 would be a gap if the log begins later.
        let start = match offset {
            Offset::Offset(offset) => offset,
            _ => UNKNOWN,
        };
        let assignment = Arc::new(Assignment::new(start, thread::current()));
        if let Some(end) = end {
            assignment.reaches(end);
        }
        self.epoch += 1;
        let (batches, receiver) = mpsc::unbounded_channel();
        self.runtime.spawn(service.serve(Taken {
            core: self.core.clone(),
            partition: place.1,
            start,
            left,
            epoch: self.epoch,
            assignment: assignment.clone(),
            batches: receiver,
            runtime: self.runtime.clone(),
            membership: self.membership.subscribe(),
            fail: self.fail.clone(),
            failed: AtomicBool::new(false),
            working: Some(assignment.work()),
        }));
        self.core.counters.one(Count::Assigned);
        let partition = Partition {
            place: place.clone(),
            service,
            epoch: self.epoch,
            assignment,
            batches,
            committed,
            next: start,
            gap: None,
            queue,
            held_back: None,
            blocked: 0,
        };
        if let Some(old) = self.partitions.insert(place, partition) {
            // Its revoke was never told.
            old.assignment.abandon();
        }
        self.set_bounds();
    }

    pub(super) fn set_bounds(&mut self) {
        let settings = &self.core.settings;
        self.bounds = Bounds::new(settings.in_flight, settings.fetch_buffer, self.partitions.len());
    }
}

/// Where a partition begins.
struct Found {
    place: Place,
    offset: Offset,
    committed: i64,
    left: Option<CommitMetadata>,
    /// Where the partition ended just now.
    end: Option<i64>,
    /// Whether records between the committed offset and this one are gone.
    gap: bool,
}
