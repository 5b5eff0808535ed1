//! Committing progress.

use std::time::Instant;

use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _};

use crate::{
    broker::ffi,
    consume::rebalance::{self, Place},
    observe::Count,
};

use super::{COMMIT_EVERY, Owner, TICK, UNKNOWN};

impl Owner {
    pub(super) fn commit_when_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_commit {
            self.next_commit = now + COMMIT_EVERY;
            self.commit(None);
            self.report_blocked();
        }
    }

    /// Commits the progress of all partitions, or of some. What the broker says to it comes as an event.
    pub(super) fn commit(&mut self, places: Option<&[Place]>) {
        // Whoever has the partitions now may be further, and librdkafka would commit as a member of no generation.
        if rebalance::is_lost(&self.client) {
            return;
        }
        let mut list = TopicPartitionList::new();
        for (place, partition) in &mut self.partitions {
            let committable = partition.assignment.committable();
            let meant = places.is_none_or(|places| places.contains(place));
            if meant
                && committable != UNKNOWN
                && committable != partition.committed
                && list.add_partition_offset(&place.0, place.1, Offset::Offset(committable)).is_ok()
            {
                partition.committed = committable;
            }
        }
        if list.count() == 0 {
            return;
        }
        match ffi::commit(&self.client, &list) {
            Ok(()) => self.commits += 1,
            Err(error) => self.commit_failed(&error.to_string()),
        }
    }

    /// Commits, and waits for what the broker says to all commits. librdkafka's own waiting has no end while the
    /// coordinator is away.
    pub(super) fn commit_and_wait(&mut self, places: Option<&[Place]>, until: Instant) {
        self.commit(places);
        while self.client.context().answered_commits() < self.commits {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(group = &*self.core.app, "the broker did not confirm a commit in time");
                return;
            }
            // It returns with the first event. Rebalances are only recorded.
            let _ = self.client.poll(left.min(TICK));
        }
    }

    pub(super) fn serve_failed_commits(&mut self) {
        for failure in self.client.context().take_failed_commits() {
            self.commit_failed(&failure);
        }
    }

    fn commit_failed(&mut self, reason: &str) {
        self.core.counters.one(Count::CommitFailures);
        tracing::warn!(group = &*self.core.app, "a commit failed and is repeated: {reason}");
        // Nothing is known to be committed any more.
        self.partitions.values_mut().for_each(|partition| partition.committed = UNKNOWN);
    }
}
