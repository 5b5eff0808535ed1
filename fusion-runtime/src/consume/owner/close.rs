//! The end.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::consumer::Consumer as _;

use crate::{
    Error,
    broker::ffi::WakeGuard,
    consume::{
        rebalance::{self, Rebalance},
        service::fail,
    },
};

use super::{COMMIT_LIMIT, Owner, Stopped};

/// How long the end may take when nobody asked for it.
const LIMIT: Duration = Duration::from_secs(10);

impl Owner {
    /// `true` when everything has ended and is committed.
    pub(super) fn stop_when_drained(&mut self) -> bool {
        let Some(stopping) = &self.stopping else { return false };
        let drained = self.partitions.values().all(|partition| partition.assignment.has_ended());
        drained || Instant::now() >= stopping.drained
    }

    pub(super) fn close(mut self, guard: WakeGuard, outcome: Result<(), Error>) {
        let unfinished = self
            .partitions
            .values()
            .filter(|partition| !partition.assignment.has_ended())
            .map(|partition| partition.assignment.held())
            .sum();
        for partition in self.partitions.values() {
            partition.assignment.abandon();
        }
        self.report_overlaps(&self.partitions.keys().cloned().collect::<Vec<_>>());
        // Half of what is left is for the commit, the rest for leaving the group.
        let now = Instant::now();
        let left =
            self.stopping.as_ref().map_or(LIMIT, |stopping| stopping.until.saturating_duration_since(now));
        let until = now + (left / 2).min(COMMIT_LIMIT);
        self.commit_and_wait(None, until);
        // The client must not close under messages; workers let go of theirs as soon as they are polled.
        while self.taker.live() > 0 && Instant::now() < until {
            thread::park_timeout(Duration::from_millis(1));
        }
        if let Some(tell) = self.stopping.as_mut().and_then(|stopping| stopping.tell.take()) {
            let _ = tell.send(Stopped { unfinished });
        }
        let error = outcome.err().unwrap_or(Error::Stopped);
        fail(&self.fail, error);
        self.client.context().close();
        self.decline_rebalances();
        drop(guard);
        drop((self.commits, self.partitions, self.taker));
        // The last reference: this leaves the group.
        drop(self.client);
    }

    /// What the group asked and nobody answered yet.
    fn decline_rebalances(&mut self) {
        let revoking = self.revoking.take().map(|revoking| Rebalance::Revoke(revoking.places));
        let assigning = self.assigning.take().map(Rebalance::Assign);
        let more = self.client.context().take_rebalances();
        for rebalance in revoking.into_iter().chain(assigning).chain(more) {
            rebalance::decline(&self.client, &rebalance);
        }
    }
}
