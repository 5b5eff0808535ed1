//! The batches that wait, and which of them are lost.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::super::Sizes;
use super::{Batch, Epoch, GroupMetadata, Outcome, TransactionError};
use crate::broker::Settings;

/// After so many halvings a transaction is a few records.
pub(super) const MOST_HALVINGS: u32 = 12;

/// How long a transaction that could begin waits for others to come with it: partitions hand over at the same moments, and
/// what comes too late waits for a whole interval.
const TOGETHER: Duration = Duration::from_millis(2);

/// What bounds one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the start of one to the start of the next.
    pub(super) interval: Duration,
    pub(super) records: usize,
    pub(super) bytes: usize,
    pub(super) sizes: Sizes,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Limits {
        Limits {
            interval: settings.commit_interval,
            // Below what librdkafka's queue takes, so that filling it never has to wait for room.
            records: 50_000,
            bytes: settings.send_buffer / 2,
            sizes: Sizes::of(settings),
        }
    }
}

pub(super) type Tell = oneshot::Sender<Result<Outcome, TransactionError>>;

/// A batch that is not settled yet.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) commits: Vec<Commit>,
    pub(super) tell: Tell,
}

/// An offset as it is committed.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) epoch: Epoch,
    pub(super) offset: i64,
    pub(super) text: String,
}

impl Commit {
    pub(super) fn place(&self) -> (&str, i32) {
        (&self.topic, self.partition)
    }
}

impl Job {
    pub(super) fn settle(self, outcome: Result<Outcome, TransactionError>) {
        // Whoever does not wait any more does not need to know.
        let _ = self.tell.send(outcome);
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Job>,
    pub(super) records: usize,
    pub(super) bytes: usize,
    /// What the transaction at hand speaks for.
    pub(super) working: Vec<(String, i32)>,
    pub(super) marks: HashMap<String, HashMap<i32, Marks>>,
    pub(super) group: Option<GroupMetadata>,
    pub(super) hurry: bool,
    pub(super) close: Option<Instant>,
    pub(super) last_start: Option<Instant>,
    /// Since when something waits.
    pub(super) since: Option<Instant>,
    /// How often the bounds of a transaction are halved: brokers that are slow take less in its time.
    pub(super) halvings: u32,
    /// Counts what may help a batch that is stuck.
    pub(super) news: u64,
}

/// Up to which epoch a partition is lost, and up to which one of its batches has failed.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) fenced: Option<Epoch>,
    pub(super) broken: Option<Epoch>,
}

impl State {
    /// When what waits is committed, at the latest.
    pub(super) fn due(&self, limits: &Limits) -> Option<Instant> {
        let next = self.last_start.map(|start| start + limits.interval);
        next.max(self.since.map(|since| since + TOGETHER.min(limits.interval)))
    }

    pub(super) fn marks(&mut self, topic: &str, partition: i32) -> &mut Marks {
        if !self.marks.contains_key(topic) {
            self.marks.insert(topic.to_owned(), HashMap::new());
        }
        let partitions = self.marks.get_mut(topic).expect("inserted just now");
        partitions.entry(partition).or_default()
    }

    /// The outcome of a batch of which a partition is lost, or has lost an earlier batch.
    pub(super) fn verdict(&self, job: &Job) -> Option<Result<Outcome, TransactionError>> {
        let marks = |commit: &Commit| self.marks.get(&commit.topic)?.get(&commit.partition).copied();
        let mut broken = None;
        for commit in &job.commits {
            let Some(marks) = marks(commit) else { continue };
            if marks.fenced >= Some(commit.epoch) {
                return Some(Ok(Outcome::Lost));
            }
            if marks.broken >= Some(commit.epoch) {
                let (topic, partition) = (commit.topic.clone(), commit.partition);
                broken.get_or_insert(Err(TransactionError::Predecessor { topic, partition }));
            }
        }
        broken
    }

    pub(super) fn holds(&self, place: (&str, i32)) -> bool {
        let queued = || self.queue.iter().flat_map(|job| &job.commits).any(|c| c.place() == place);
        self.working.iter().any(|(topic, partition)| (&**topic, *partition) == place) || queued()
    }

    /// Puts batches back that were taken from the front.
    pub(super) fn put_back(&mut self, jobs: Vec<Job>) {
        for job in jobs.into_iter().rev() {
            self.records += job.batch.len();
            self.bytes += job.batch.bytes();
            self.queue.push_front(job);
        }
    }

    /// Takes out of the queue what is lost by now.
    pub(super) fn sweep(&mut self) -> Vec<(Job, Result<Outcome, TransactionError>)> {
        let mut lost = Vec::new();
        for job in std::mem::take(&mut self.queue) {
            match self.verdict(&job) {
                None => self.queue.push_back(job),
                Some(outcome) => {
                    self.forget(&job);
                    lost.push((job, outcome));
                }
            }
        }
        lost
    }

    pub(super) fn forget(&mut self, job: &Job) {
        self.records -= job.batch.len();
        self.bytes -= job.batch.bytes();
    }

    /// From the front, as much as one transaction takes, but at least one.
    pub(super) fn take(&mut self, limits: &Limits) -> Vec<Job> {
        let (mut jobs, mut records, mut bytes) = (Vec::new(), 0, 0);
        let most = |bound: usize| bound >> self.halvings.min(MOST_HALVINGS);
        let (most_records, most_bytes) = (most(limits.records), most(limits.bytes));
        while let Some(job) = self.queue.front() {
            (records, bytes) = (records + job.batch.len(), bytes + job.batch.bytes());
            if !jobs.is_empty() && (records > most_records || bytes > most_bytes) {
                break;
            }
            let Some(job) = self.queue.pop_front() else { break };
            self.forget(&job);
            self.working.extend(job.commits.iter().map(|c| (c.topic.clone(), c.partition)));
            jobs.push(job);
        }
        jobs
    }
}
