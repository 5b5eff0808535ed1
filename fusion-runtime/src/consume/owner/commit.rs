//! Committing progress.

use std::time::{Duration, Instant};

use rdkafka::{Offset, TopicPartitionList, error::RDKafkaErrorCode};

use crate::{
    broker::ffi::GroupMetadata,
    consume::rebalance::{self, Place},
    observe::Count,
};

use super::{COMMIT_EVERY, Owner, UNKNOWN};

impl Owner {
    pub(super) fn commit_when_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_commit {
            self.next_commit = now + COMMIT_EVERY;
            self.commit(None);
            self.publish_membership();
            self.report_blocked();
            self.look_at_ends();
        }
    }

    /// Tells those that commit by themselves what they may commit with. Brokers check member and generation, not who owns
    /// a partition: what comes after a partition was lost would let through what is not ours any more. So nothing is
    /// told while a revoke is open, and what is lost is given up before it ends.
    pub(super) fn publish_membership(&mut self) {
        let Some(transactions) = &self.transactions else { return };
        if self.revoking.is_some() || rebalance::is_lost(&self.client) {
            return;
        }
        let membership = GroupMetadata::of(&self.client);
        if membership.is_none() || *self.membership.borrow() == membership {
            return;
        }
        if let Some(membership) = &membership {
            transactions.regroup(membership.clone());
        }
        self.membership.send_replace(membership);
    }

    /// Commits the progress of all partitions, or of some. What the broker says to it is taken in later.
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
                && !partition.service.commits()
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
        if let Err(error) = self.commits.send(&list) {
            self.commit_failed(error);
        }
    }

    /// Commits, and waits for what the broker says to all commits. One that failed is repeated once: there will be no
    /// other.
    pub(super) fn commit_and_wait(&mut self, places: Option<&[Place]>, until: Instant) {
        for _ in 0..2 {
            self.commit(places);
            let mut failed = false;
            while self.commits.pending() > 0 {
                let left = until.saturating_duration_since(Instant::now());
                let Some(outcome) = self.commits.outcome(left) else {
                    tracing::warn!(group = &*self.core.app, "the broker did not confirm a commit in time");
                    return;
                };
                if let Err(error) = outcome {
                    self.commit_failed(error);
                    failed = true;
                }
            }
            if !failed {
                return;
            }
        }
    }

    /// Takes in what the broker said to commits.
    pub(super) fn serve_commits(&mut self) {
        while let Some(outcome) = self.commits.outcome(Duration::ZERO) {
            if let Err(error) = outcome {
                self.commit_failed(error);
            }
        }
    }

    fn commit_failed(&mut self, error: RDKafkaErrorCode) {
        self.core.counters.one(Count::CommitFailures);
        tracing::warn!(%error, group = &*self.core.app, "a commit failed and is repeated");
        // Nothing is known to be committed any more.
        self.partitions.values_mut().for_each(|partition| partition.committed = UNKNOWN);
    }
}
