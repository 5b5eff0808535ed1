//! What the handles share with the owner thread: the batches that wait, and what is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::queue::{Commit, Job, Limits, MOST_HALVINGS, State, Tell};
use super::{Batch, Epoch, GroupMetadata, MOST_BYTES, Outcome, TransactionError};

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

/// How the producer as a whole is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Starting,
    Ready,
    Failed(TransactionError),
    Ended,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// For the owner: something to do, or to look at.
    changed: Condvar,
    /// For tasks: a transaction has ended, or room was made.
    settled: Notify,
    status: watch::Sender<Status>,
    metadata_limit: AtomicUsize,
    forget_outcome: AtomicBool,
    /// Tells this commit from all others, together with what no other instance has.
    tokens: AtomicU64,
    instance: u32,
    pub(super) limits: Limits,
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Shared {
        Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            settled: Notify::new(),
            status: watch::Sender::new(Status::Starting),
            metadata_limit: AtomicUsize::new(MOST_BYTES),
            forget_outcome: AtomicBool::new(false),
            tokens: AtomicU64::new(0),
            instance: uuid::Uuid::new_v4().as_fields().0,
            limits,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- handles -------------------------------------------------------------------------------------------

    pub(super) fn submit(&self, batch: Batch, tell: Tell) {
        let job = match self.check(batch) {
            Ok((batch, commits)) => Job { batch, commits, tell },
            Err((error, batch)) => {
                self.mark_broken(batch.offsets().iter().map(|e| (&*e.topic, e.partition, e.epoch)));
                let _ = tell.send(Err(error));
                return;
            }
        };
        let mut state = self.state();
        if let Some(outcome) = self.refuses(&state, &job) {
            drop(state);
            job.settle(outcome);
            return;
        }
        let newer = |group: &GroupMetadata| job.batch.group().generation() >= group.generation();
        if state.group.as_ref().is_none_or(newer) {
            state.group = Some(job.batch.group().clone());
        }
        let due = state.queue.is_empty();
        state.records += job.batch.len();
        state.bytes += job.batch.bytes();
        let full = state.records >= self.limits.records || state.bytes >= self.limits.bytes;
        state.queue.push_back(job);
        drop(state);
        // Otherwise the owner sleeps until the interval is over and finds it then.
        if due || full {
            self.changed.notify_all();
        }
    }

    /// The outcome of what is not even queued.
    fn refuses(&self, state: &State, job: &Job) -> Option<Result<Outcome, TransactionError>> {
        match &*self.status.borrow() {
            Status::Failed(error) => return Some(Err(error.clone())),
            Status::Ended => return Some(Err(TransactionError::Closed)),
            Status::Starting | Status::Ready => {}
        }
        if state.close.is_some() {
            return Some(Err(TransactionError::Closed));
        }
        state.verdict(job)
    }

    fn check(&self, mut batch: Batch) -> Result<(Batch, Vec<Commit>), (TransactionError, Batch)> {
        if batch.offsets().is_empty() {
            return Err((TransactionError::NoOffsets, batch));
        }
        if let Err(error) = batch.check_sizes(self.limits.largest_value, self.limits.largest_headers) {
            return Err((error.into(), batch));
        }
        let token = format!("{:08x}{:x}", self.instance, self.tokens.fetch_add(1, Ordering::Relaxed));
        let limit = self.metadata_limit();
        let mut commits = Vec::with_capacity(batch.offsets().len());
        for entry in batch.offsets_mut() {
            entry.metadata.set_text("tx", token.clone());
            commits.push(Commit {
                topic: entry.topic.clone(),
                partition: entry.partition,
                epoch: entry.epoch,
                offset: entry.metadata.offset(),
                text: entry.metadata.encode(),
            });
        }
        match commits.iter().find(|commit| commit.text.len() > limit) {
            Some(commit) => {
                let error = metadata_too_large(commit, limit);
                Err((error, batch))
            }
            None => Ok((batch, commits)),
        }
    }

    pub(super) fn metadata_limit(&self) -> usize {
        self.metadata_limit.load(Ordering::Relaxed)
    }

    pub(super) fn forget_next_outcome(&self) {
        self.forget_outcome.store(true, Ordering::SeqCst);
    }

    /// Whether the outcome that was just told is to be forgotten.
    pub(super) fn forgets_outcome(&self) -> bool {
        self.forget_outcome.swap(false, Ordering::SeqCst)
    }

    pub(super) fn regroup(&self, group: GroupMetadata) {
        let mut state = self.state();
        if state.group.as_ref() != Some(&group) {
            state.group = Some(group);
            state.news += 1;
            drop(state);
            self.changed.notify_all();
        }
    }

    pub(super) fn fence(&self, topic: &str, partition: i32, epoch: Epoch) {
        let mut state = self.state();
        let marks = state.marks(topic, partition);
        marks.fenced = marks.fenced.max(Some(epoch));
        state.news += 1;
        let lost = state.sweep();
        drop(state);
        settle_all(lost);
        self.changed.notify_all();
        self.settled.notify_waiters();
    }

    pub(super) fn hurry(&self) {
        self.state().hurry = true;
        self.changed.notify_all();
    }

    pub(super) fn holds<'a>(&self, places: impl IntoIterator<Item = (&'a str, i32)>) -> bool {
        let state = self.state();
        places.into_iter().any(|place| state.holds(place))
    }

    pub(super) async fn ended(&self, places: &[(String, i32)], until: Instant) -> bool {
        let held = || self.holds(places.iter().map(|(topic, partition)| (&**topic, *partition)));
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            if !held() {
                return true;
            }
            self.hurry();
            if tokio::time::timeout_at(until.into(), settled).await.is_err() {
                return !held();
            }
        }
    }

    pub(super) async fn room(&self) {
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            {
                let state = self.state();
                if state.records < 2 * self.limits.records && state.bytes < 2 * self.limits.bytes {
                    return;
                }
            }
            settled.await;
        }
    }

    pub(super) fn wake(&self, thread: Thread) {
        self.state().waker = Some(thread);
    }

    pub(super) fn close(&self, until: Instant) {
        self.state().close.get_or_insert(until);
        self.changed.notify_all();
    }

    pub(super) async fn ready(&self) -> Result<(), TransactionError> {
        let mut status = self.status.subscribe();
        match status.wait_for(|status| *status != Status::Starting).await.as_deref() {
            Ok(Status::Ready) => Ok(()),
            Ok(Status::Failed(error)) => Err(error.clone()),
            _ => Err(TransactionError::Closed),
        }
    }

    pub(super) async fn failed(&self) -> TransactionError {
        let mut status = self.status.subscribe();
        let over = |status: &Status| matches!(status, Status::Failed(_) | Status::Ended);
        match status.wait_for(over).await.as_deref() {
            Ok(Status::Failed(error)) => error.clone(),
            _ => TransactionError::Closed,
        }
    }

    /// Waits until the owner thread has ended.
    pub(super) async fn ended_all(&self) {
        let mut status = self.status.subscribe();
        let _ = status.wait_for(|status| matches!(status, Status::Failed(_) | Status::Ended)).await;
    }

    // --- the owner thread ----------------------------------------------------------------------------------

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
            if state.queue.is_empty() {
                state.hurry = false;
                if state.close.is_some() {
                    return Next::Close;
                }
            } else {
                let full = state.records >= self.limits.records || state.bytes >= self.limits.bytes;
                let due = state.last_start.map_or(now, |start| start + self.limits.interval);
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

    /// Waits before a repetition, but no longer than until something changed that may help.
    pub(super) fn pause(&self, limit: Duration) {
        let state = self.state();
        let (news, until) = (state.news, Instant::now() + limit);
        let mut state = state;
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

    fn mark_broken<'a>(&self, places: impl Iterator<Item = (&'a str, i32, Epoch)>) {
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
        let waker = {
            let mut state = self.state();
            state.working.clear();
            state.waker.clone()
        };
        self.settled.notify_waiters();
        if let Some(waker) = waker {
            waker.unpark();
        }
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

pub(super) fn metadata_too_large(commit: &Commit, limit: usize) -> TransactionError {
    TransactionError::MetadataTooLarge {
        topic: commit.topic.clone(),
        partition: commit.partition,
        size: commit.text.len(),
        limit,
    }
}

fn settle_all(jobs: Vec<(Job, Result<Outcome, TransactionError>)>) {
    for (job, outcome) in jobs {
        job.settle(outcome);
    }
}
