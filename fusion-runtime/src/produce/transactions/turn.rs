//! What the owner thread does with what is shared.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::queue::{Job, MOST_HALVINGS, State};
use super::shared::{Shared, Status, settle_all};
use super::{Epoch, GroupMetadata, Outcome, TransactionError};

/// The least that a broker's limit for metadata is believed to be, in bytes.
const LEAST_METADATA: usize = 64;

/// What the owner does next.
pub(super) enum Next {
    /// Commit these.
    Jobs(Vec<Job>),
    /// Nothing waits; look after the client.
    Idle,
    /// End.
    Close,
}

impl Shared {
    pub(super) fn set_status(&self, status: Status) {
        self.status.send_if_modified(|now| {
            // A failure stays told.
            let changes = *now != status && !matches!(now, Status::Failed(_));
            if changes {
                *now = status;
            }
            changes
        });
    }

    /// Waits for what comes next, at most for `tick`.
    pub(super) fn next(&self, tick: Duration) -> Next {
        let mut state = self.state();
        let until = Instant::now() + tick;
        loop {
            let now = Instant::now();
            if state.close.is_some_and(|close| now >= close) {
                return Next::Close;
            }
            if state.queue.is_empty() {
                state.hurry = false;
                if state.close.is_some() {
                    return Next::Close;
                }
            } else {
                let full = state.records >= self.limits.records || state.bytes >= self.limits.bytes;
                let due = state.due(&self.limits).unwrap_or(now);
                if full || state.hurry || state.close.is_some() || now >= due {
                    state.last_start = Some(now);
                    return Next::Jobs(state.take(&self.limits));
                }
                state = self.wait(state, due.min(until) - now);
                continue;
            }
            if now >= until {
                return Next::Idle;
            }
            state = self.wait(state, until - now);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }

    /// A mark for [`pause_after`](Shared::pause_after).
    pub(super) fn news(&self) -> u64 {
        self.state().news
    }

    /// Waits before a repetition, but no longer than until something changes that may help.
    pub(super) fn pause(&self, limit: Duration) {
        self.pause_after(self.news(), limit);
    }

    /// As [`pause`](Shared::pause), but what changed since the mark ends it too.
    pub(super) fn pause_after(&self, news: u64, limit: Duration) {
        let until = Instant::now() + limit;
        let mut state = self.state();
        while state.news == news {
            let now = Instant::now();
            let until = state.close.map_or(until, |close| close.min(until));
            if now >= until {
                return;
            }
            state = self.wait(state, until - now);
        }
    }

    /// The deadline of the end, if that has been asked for.
    pub(super) fn closing(&self) -> Option<Instant> {
        self.state().close
    }

    /// The newest generation of the group that is known.
    pub(super) fn group(&self) -> Option<GroupMetadata> {
        self.state().group.clone()
    }

    /// Settles the batches at hand that are lost by now, and keeps the rest. Says how many were lost.
    pub(super) fn keep_ours(&self, jobs: &mut Vec<Job>) -> usize {
        let (ours, lost) = {
            let state = self.state();
            let (mut ours, mut lost) = (Vec::with_capacity(jobs.len()), Vec::new());
            for job in jobs.drain(..) {
                match state.verdict(&job) {
                    None => ours.push(job),
                    Some(outcome) => lost.push((job, outcome)),
                }
            }
            (ours, lost)
        };
        *jobs = ours;
        let count = lost.iter().filter(|(_, outcome)| *outcome == Ok(Outcome::Lost)).count();
        if !lost.is_empty() {
            self.set_working(jobs);
            settle_all(lost);
        }
        count
    }

    /// Whether one of them is lost by now.
    pub(super) fn any_lost(&self, jobs: &[Job]) -> bool {
        let state = self.state();
        jobs.iter().any(|job| state.verdict(job).is_some())
    }

    /// The brokers did not take so much in the time of a transaction: keep the first half, and take less from now on.
    pub(super) fn take_less(&self, jobs: &mut Vec<Job>) {
        let rest = jobs.split_off(jobs.len().div_ceil(2));
        let mut state = self.state();
        state.halvings = (state.halvings + 1).min(MOST_HALVINGS);
        state.put_back(rest);
        drop(state);
        self.set_working(jobs);
    }

    /// They did: take more the next time, up to what is configured.
    pub(super) fn take_more(&self) {
        let mut state = self.state();
        state.halvings = state.halvings.saturating_sub(1);
    }

    fn set_working(&self, jobs: &[Job]) {
        let places = jobs.iter().flat_map(|job| &job.commits);
        self.state().working = places.map(|c| (c.topic.clone(), c.partition)).collect();
    }

    /// Settles a batch that cannot be committed, and with it all that would skip it.
    pub(super) fn refuse(&self, job: Job, error: TransactionError) {
        self.mark_broken(job.commits.iter().map(|c| (&*c.topic, c.partition, c.epoch)));
        job.settle(Err(error));
    }

    pub(super) fn mark_broken<'a>(&self, places: impl Iterator<Item = (&'a str, i32, Epoch)>) {
        let mut state = self.state();
        for (topic, partition, epoch) in places {
            let marks = state.marks(topic, partition);
            marks.broken = marks.broken.max(Some(epoch));
        }
        let broken = state.sweep();
        drop(state);
        settle_all(broken);
    }

    /// Takes a broker at its word that metadata is too long.
    pub(super) fn halve_metadata_limit(&self) -> usize {
        let limit = (self.metadata_limit() / 2).max(LEAST_METADATA);
        self.metadata_limit.store(limit, Ordering::Relaxed);
        limit
    }

    /// The transaction at hand has ended, whichever way.
    pub(super) fn end_transaction(&self) {
        self.state().working.clear();
    }

    /// The thread ends: nothing is committed any more.
    pub(super) fn end(&self, status: Status) {
        self.set_status(status);
        let error = match &*self.status.borrow() {
            Status::Failed(error) => error.clone(),
            _ => TransactionError::Closed,
        };
        let left = {
            let mut state = self.state();
            (state.records, state.bytes) = (0, 0);
            state.close.get_or_insert_with(Instant::now);
            std::mem::take(&mut state.queue)
        };
        for job in left {
            job.settle(Err(error.clone()));
        }
        self.end_transaction();
    }
}
