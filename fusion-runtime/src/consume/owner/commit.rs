//! Committing progress.

use std::time::Instant;

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
};

use crate::{consume::rebalance::Place, observe::Count};

use super::{COMMIT_EVERY, Owner};

impl Owner {
    pub(super) fn commit_when_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_commit {
            self.next_commit = now + COMMIT_EVERY;
            self.commit(None, CommitMode::Async);
            self.report_blocked();
        }
    }

    /// Commits the progress of all partitions, or of some.
    pub(super) fn commit(&mut self, places: Option<&[Place]>, mode: CommitMode) {
        let mut list = TopicPartitionList::new();
        for (place, partition) in &mut self.partitions {
            let committable = partition.assignment.committable();
            let meant = places.is_none_or(|places| places.contains(place));
            if meant
                && committable != partition.committed
                && list.add_partition_offset(&place.0, place.1, Offset::Offset(committable)).is_ok()
            {
                partition.committed = committable;
            }
        }
        if list.count() == 0 {
            return;
        }
        if let Err(error) = self.client.commit(&list, mode) {
            self.core.counters.one(Count::CommitFailures);
            tracing::warn!(%error, group = &*self.core.app, "a commit failed");
            for partition in self.partitions.values_mut() {
                partition.committed = -1;
            }
        }
    }
}
