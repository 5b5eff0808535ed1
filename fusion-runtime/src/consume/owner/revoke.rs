//! Giving back what the group wants.

use std::time::{Duration, Instant};

use crate::{
    consume::rebalance::{self, Place},
    observe::Count,
};

use super::{COMMIT_LIMIT, IN_A_HANDLER, Owner, Partition, Revoking};

impl Owner {
    pub(super) fn begin_revoke(&mut self, mut places: Vec<Place>) {
        if let Some(assigning) = self.assigning.take() {
            // What librdkafka was not given yet it cannot be asked to take back: it would refuse the whole list. If
            // nothing else was assigned, the revoke is the answer to both.
            let (pending, rest): (Vec<_>, Vec<_>) =
                assigning.into_iter().partition(|place| places.contains(place));
            self.assigning = Some(rest).filter(|rest| pending.is_empty() || !rest.is_empty());
            places.retain(|place| !pending.contains(place));
        }
        self.core.counters.add(Count::Revoked, places.len() as u64);
        let lost = rebalance::is_lost(&self.client);
        if lost {
            tracing::warn!(group = &*self.core.app, "the assignment was lost: nothing of it is committed");
            for place in &places {
                if let Some(partition) = self.partitions.get(place) {
                    partition.assignment.abandon();
                    self.fence(partition);
                }
            }
        }
        self.stop_workers(places.clone());
        let limit = if lost { Duration::ZERO } else { self.core.settings.revoke_limit };
        let until = Instant::now() + limit;
        match &mut self.revoking {
            Some(revoking) => revoking.places.extend(places),
            None => self.revoking = Some(Revoking { places, until }),
        }
    }

    /// Has nothing more committed for an assignment that was given up.
    fn fence(&self, partition: &Partition) {
        if let Some(transactions) = self.transactions.as_ref().filter(|_| partition.service.commits()) {
            transactions.fence(&partition.place.0, partition.place.1, partition.epoch);
        }
    }

    /// Tells workers to start nothing new.
    pub(super) fn stop_workers(&self, places: Vec<Place>) {
        for partition in places.iter().filter_map(|place| self.partitions.get(place)) {
            partition.assignment.stop();
        }
    }

    pub(super) fn end_revoke(&mut self) {
        let Some(revoking) = &self.revoking else { return };
        let over = Instant::now() >= revoking.until;
        let ended = |place: &Place| {
            self.partitions.get(place).is_none_or(|partition| partition.assignment.has_ended())
        };
        if !over && !revoking.places.iter().all(ended) {
            return;
        }
        // Those that have ended by now do not mind.
        for partition in revoking.places.iter().filter_map(|place| self.partitions.get(place)) {
            if !partition.assignment.is_abandoned() {
                partition.assignment.abandon();
                self.fence(partition);
            }
        }
        if self.commits_still(revoking) {
            return;
        }
        let places = self.revoking.take().map(|revoking| revoking.places).unwrap_or_default();
        self.report_overlaps(&places);
        self.commit_and_wait(Some(&places), Instant::now() + COMMIT_LIMIT);
        for place in &places {
            self.partitions.remove(place);
        }
        rebalance::unassign(&self.client, &rebalance::list(&places));
        self.set_bounds();
        self.tell_assigned.send_replace(self.partitions.len());
    }

    /// Whether a transaction that began in time speaks for one of the partitions: it may still be committed, and whoever
    /// has the partition next must not begin before.
    fn commits_still(&self, revoking: &Revoking) -> bool {
        let places = revoking.places.iter().map(|(topic, partition)| (topic.as_str(), *partition));
        let in_time = !rebalance::is_lost(&self.client) && Instant::now() < revoking.until + COMMIT_LIMIT;
        in_time && self.transactions.as_ref().is_some_and(|transactions| transactions.holds(places))
    }

    /// A handler that holds up its thread cannot be ended. Whatever becomes of it is dropped by its worker, but it runs
    /// on, and whoever has the partition next begins with the same record.
    pub(super) fn report_overlaps(&self, places: &[Place]) {
        for partition in places.iter().filter_map(|place| self.partitions.get(place)) {
            let assignment = &partition.assignment;
            let Some((_, lasting)) = assignment.polling().filter(|_| !assignment.has_ended()) else {
                continue;
            };
            if lasting < IN_A_HANDLER {
                continue;
            }
            self.core.counters.one(Count::Overlaps);
            let (topic, number) = (&*partition.place.0, partition.place.1);
            tracing::warn!(
                topic,
                partition = number,
                offset = assignment.running(),
                reactor = self.services.get(topic).map(|service| service.name()),
                ?lasting,
                "a handler blocks its thread and cannot be ended: the next owner of the partition may run the same record \
                 beside it"
            );
        }
    }
}
