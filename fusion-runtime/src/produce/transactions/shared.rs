//! What the handles share with the owner thread: the batches that wait, and what is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::queue::{Commit, Job, Limits, State, Tell};
use super::{Batch, Epoch, GroupMetadata, MOST_BYTES, Outcome, TransactionError};

/// How the producer as a whole is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Starting,
    Ready,
    Failed(TransactionError),
    Ended,
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// For the owner: something to do, or to look at.
    pub(super) changed: Condvar,
    pub(super) status: watch::Sender<Status>,
    /// Whether the client is gone too.
    pub(super) over: watch::Sender<bool>,
    pub(super) metadata_limit: AtomicUsize,
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
            status: watch::Sender::new(Status::Starting),
            over: watch::Sender::new(false),
            metadata_limit: AtomicUsize::new(MOST_BYTES),
            forget_outcome: AtomicBool::new(false),
            tokens: AtomicU64::new(0),
            instance: uuid::Uuid::new_v4().as_fields().0,
            limits,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, mut batch: Batch, tell: Tell) {
        let commits = match self.check(&mut batch) {
            Ok(commits) => commits,
            Err(error) => {
                self.mark_broken(batch.offsets().iter().map(|e| (&*e.topic, e.partition, e.epoch)));
                let _ = tell.send(Err(error));
                return;
            }
        };
        let job = Job { batch, commits, tell };
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
        if due {
            state.since = Some(Instant::now());
        }
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

    /// The batch's offsets as they are committed, unless they can never be.
    fn check(&self, batch: &mut Batch) -> Result<Vec<Commit>, TransactionError> {
        if batch.offsets().is_empty() {
            return Err(TransactionError::NoOffsets);
        }
        batch.check_sizes(self.limits.sizes)?;
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
            Some(commit) => Err(metadata_too_large(commit, limit)),
            None => Ok(commits),
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
    }

    pub(super) fn hurry(&self) {
        self.state().hurry = true;
        self.changed.notify_all();
    }

    pub(super) fn holds<'a>(&self, places: impl IntoIterator<Item = (&'a str, i32)>) -> bool {
        let state = self.state();
        places.into_iter().any(|place| state.holds(place))
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

    /// Waits until the owner thread has ended, and its client.
    pub(super) async fn over(&self) {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    pub(super) fn set_over(&self) {
        self.over.send_replace(true);
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

pub(super) fn settle_all(jobs: Vec<(Job, Result<Outcome, TransactionError>)>) {
    for (job, outcome) in jobs {
        job.settle(outcome);
    }
}
