//! The end.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rdkafka::consumer::{CommitMode, Consumer as _};

use crate::{Error, broker::ffi::WakeGuard};

use super::{Owner, Stopped};

impl Owner {
    /// `true` when everything has ended and is committed.
    pub(super) fn stop_when_drained(&mut self) -> bool {
        let Some(stopping) = &self.stopping else { return false };
        let drained = self.partitions.values().all(|partition| partition.assignment.has_ended());
        drained || Instant::now() >= stopping.until
    }

    pub(super) fn close(mut self, guard: WakeGuard, outcome: Result<(), Error>) {
        let unfinished = self
            .partitions
            .values()
            .filter(|partition| !partition.assignment.has_ended())
            .map(|partition| partition.assignment.held())
            .sum();
        self.commit(None, CommitMode::Sync);
        for partition in self.partitions.values() {
            partition.assignment.abandon();
        }
        // The client must not close under messages; workers let go of theirs as soon as they are polled.
        let until = Instant::now() + Duration::from_secs(5);
        while self.queue.live() > 0 && Instant::now() < until {
            thread::park_timeout(Duration::from_millis(1));
        }
        if let Some(tell) = self.stopping.as_mut().and_then(|stopping| stopping.tell.take()) {
            let _ = tell.send(Stopped { unfinished });
        }
        let error = outcome.err().unwrap_or(Error::Stopped);
        self.fail.send_replace(Some(Arc::new(error)));
        self.client.context().close();
        drop(guard);
        drop(self.queue);
        // The last reference: this leaves the group.
        drop(self.client);
    }
}
