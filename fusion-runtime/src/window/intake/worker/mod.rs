//! The work on one source partition, for one assignment.

mod hand_over;
mod sort;

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    future::{BoxFuture, FutureExt, OptionFuture, select_all},
    stream::{FuturesOrdered, StreamExt},
};
use tokio::{sync::watch, time::sleep_until};

use crate::{
    Error,
    consume::{Beside, Taken},
    produce::transactions::{Batch, Outcome, Pending, TransactionError},
    record::wire::HeaderBuf,
    window::{clock, core::Heard, fail_if_panicking, typed::millis},
};

use super::{
    Shared, Target,
    left::{Left, Room},
    pace::Reached,
    silence::{Question, Silence},
};
use sort::Kept;

/// A batch is handed over when it is this large, or this old.
const MOST_RECORDS: usize = 8_192;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Batches on their way to a transaction; beyond them nothing more is read.
const MOST_PENDING: usize = 2;
/// Records that come at once, at most.
const MOST_BATCH: usize = 1_024;
/// How often the claims of a partition are repeated where they never expire, in milliseconds.
const REPEAT: i64 = 3_000;
/// How long to wait for a membership: with the group protocol `consumer` it may come after the first assignment; in
/// milliseconds.
const NO_MEMBERSHIP: i64 = 10;
/// How long to wait before a leader that gave no answer is asked again, in milliseconds.
const ASK_AGAIN: i64 = 500;

pub(super) struct Worker {
    shared: Arc<Shared>,
    taken: Taken,
    /// For each target, what it has heard about time.
    heard: Vec<Heard>,
    silence: Silence,
    /// Everything below it was handed over by an earlier owner, and is read again for the reactor alone.
    handed_over: i64,
    /// A reactor that serves the topic, too, and when its progress is handed over if nothing else is.
    beside: Option<Beside>,
    progress_due: Option<i64>,
    /// For what it finishes out of order, as of when it last said how far it has come.
    room: Option<Room>,
    /// For each target, whether it was told to be idle.
    told_idle: Vec<bool>,
    batch: Option<Batch>,
    /// When the batch is handed over, and when the claims are repeated; milliseconds since 1970.
    due: Option<i64>,
    repeat: i64,
    pending: FuturesOrdered<Pending>,
    /// Up to where the records are in the logs, and are with each of the pending ones.
    committed: i64,
    commits: VecDeque<i64>,
    asking: Option<BoxFuture<'static, (Option<i64>, Question)>>,
    ask_at: i64,
    /// Tell when others have come further, one for each target.
    changes: Vec<watch::Receiver<()>>,
    headers: HeaderBuf,
    source: Vec<u8>,
    /// Why the record at hand is kept.
    skipped: Vec<Kept>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, taken: Taken) -> Self {
        let now = clock::now();
        let names = shared.targets.iter().map(|target| target.window.spec.name);
        let Left { read, newest, reactor } = Left::from_metadata(taken.left.as_ref(), taken.start, names);
        let finished = reactor.map(|reactor| reactor.finished_beyond).unwrap_or_default();
        Worker {
            handed_over: read,
            beside: shared.served.as_ref().map(|served| taken.beside(served, &finished)),
            progress_due: None,
            room: None,
            silence: Silence::new(taken.start),
            heard: newest.into_iter().map(|(_, newest)| Heard::new(newest, now)).collect(),
            told_idle: vec![false; shared.targets.len()],
            batch: None,
            due: None,
            // Whoever had the partition before may have called it idle.
            repeat: now,
            pending: FuturesOrdered::new(),
            committed: read,
            commits: VecDeque::new(),
            asking: None,
            ask_at: 0,
            changes: shared.targets.iter().map(|target| target.window.pace.changes()).collect(),
            headers: HeaderBuf::new(),
            source: Vec::new(),
            skipped: Vec::new(),
            shared,
            taken,
        }
    }

    pub(super) async fn run(mut self) {
        let assignment = self.taken.assignment.clone();
        while !assignment.is_stopping() {
            let now = clock::now();
            self.ask_for_the_end(now);
            self.speak(now);
            // Without a membership nothing could be handed over, and what is read would be lost.
            let member = self.taken.membership().is_some();
            let wake = if member { self.wake_at(now) } else { now + NO_MEMBERSHIP };
            let wake = clock::instant(wake, now);
            let room = member && self.pending.len() < MOST_PENDING;
            let ahead = self.is_ahead();
            let reads = room && !ahead && self.may_give();
            let changes = self.changes.iter_mut().map(|change| change.changed().boxed());
            let others = ahead.then(|| select_all(changes).map(drop));
            tokio::select! {
                biased;
                () = assignment.stopped() => {}
                Some(outcome) = self.pending.next(), if !self.pending.is_empty() => {
                    if !self.settle(outcome) {
                        break;
                    }
                }
                Some((end, question)) = OptionFuture::from(self.asking.as_mut()) => {
                    self.asking = None;
                    self.silence.confirm(end, question);
                    if self.wants_the_end(now) {
                        self.ask_at = now + ASK_AGAIN;
                    }
                }
                Some(()) = OptionFuture::from(others) => {}
                Some(further) = OptionFuture::from(self.beside.as_mut().map(Beside::told)) => {
                    if !self.progressed(further, clock::now()) {
                        break;
                    }
                }
                batch = self.taken.batches.recv(), if reads => match batch {
                    // As it is now: nothing arrived as early as the wait for it began.
                    Some(batch) => self.take(batch, clock::now()),
                    None => break,
                },
                () = sleep_until(wake), if room || !member => {}
            }
        }
        self.give_back().await;
    }

    /// `false`: the partition cannot go on.
    fn settle(&mut self, outcome: Result<Outcome, TransactionError>) -> bool {
        let commits = self.commits.pop_front();
        match outcome {
            Ok(Outcome::Committed) => {
                self.committed = commits.unwrap_or(self.committed);
                true
            }
            // The owner knows of it by now, or soon.
            Ok(Outcome::Lost) => false,
            Err(error) => {
                self.taken.fail(error);
                false
            }
        }
    }

    /// The reactor has come further, or its worker has ended. `false`: nobody told it to.
    fn progressed(&mut self, further: bool, now: i64) -> bool {
        if further {
            self.room = None;
            self.progress_due.get_or_insert(now + self.interval());
        } else if !self.taken.assignment.is_stopping() {
            let (topic, partition) = (&self.shared.topic, self.taken.partition);
            let reason = format!("the worker of topic `{topic}`, partition {partition} has ended by itself");
            self.taken.fail(Error::Fatal { client: "consumer", reason });
            return false;
        }
        true
    }

    /// Whether the reactor may be given more: what it finishes of it out of order has to fit beside the offset. What it has
    /// finished meanwhile may make room.
    fn may_give(&mut self) -> bool {
        let Some(beside) = &self.beside else { return true };
        if beside.open() == 0 {
            return true;
        }
        let limit = self.shared.transactions.metadata_limit();
        let room = self.room.unwrap_or_else(|| Room::of(&self.left().to_metadata(), limit));
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let more = i64::try_from(MOST_BATCH).unwrap_or(i64::MAX);
        let open = size(beside.open()).saturating_add(MOST_BATCH);
        let enough = room.is_enough(open, size(beside.span(more).unsigned_abs()));
        if !enough {
            beside.ask();
        }
        self.room = Some(room);
        enough
    }

    /// How long what was read, or finished, may wait for more; in milliseconds.
    fn interval(&self) -> i64 {
        i64::try_from(self.taken.core.settings.commit_interval.as_millis()).unwrap_or(0)
    }

    fn wake_at(&self, now: i64) -> i64 {
        let mut wake = self.repeat;
        // What was read takes progress along.
        wake = self.due.or(self.progress_due).map_or(wake, |due| due.min(wake));
        for (target, heard) in self.shared.targets.iter().zip(&self.heard) {
            let Some(idle) = target.idle() else { continue };
            wake = self.silence.changes(heard.at, idle, now).map_or(wake, |change| change.min(wake));
        }
        if self.ask_at > now { wake.min(self.ask_at) } else { wake }
    }

    /// Asks the leader, if it depends on its word whether the partition is silent.
    fn ask_for_the_end(&mut self, now: i64) {
        if self.asking.is_some() || now < self.ask_at || !self.wants_the_end(now) {
            return;
        }
        let (shared, partition) = (self.shared.clone(), self.taken.partition);
        let question = self.silence.ask(now);
        self.asking = Some(async move { (shared.ends.of(&shared.topic, partition).await, question) }.boxed());
    }

    /// Whether it depends on the leader's word whether the partition is silent.
    fn wants_the_end(&self, now: i64) -> bool {
        let mut targets = self.shared.targets.iter().zip(&self.heard);
        targets.any(|(target, heard)| {
            target.idle().is_some_and(|idle| self.silence.is_unconfirmed(heard.at, idle, now))
        })
    }

    /// Hands over what is due, and repeats the claims when it is time or when silence begins or ends.
    fn speak(&mut self, now: i64) {
        let idle = |(target, heard): (&Target, &Heard)| {
            target.idle().is_some_and(|idle| self.silence.is_idle(heard.at, idle, now))
        };
        let idle: Vec<bool> = self.shared.targets.iter().zip(&self.heard).map(idle).collect();
        for ((target, heard), idle) in self.shared.targets.iter().zip(&self.heard).zip(&idle) {
            let reached = Reached {
                epoch: self.taken.epoch,
                newest: heard.newest.map(|newest| newest.time),
                idle: *idle,
                committed: self.committed,
                next: self.silence.next(),
                assignment: self.taken.assignment.clone(),
            };
            target.window.pace.reached(self.source(target), reached);
        }
        let changed = idle != self.told_idle;
        let due = self.due.is_some_and(|due| due <= now) || self.repeat <= now || changed;
        if due && self.pending.len() < MOST_PENDING {
            self.told_idle = idle;
            self.hand_over(now);
        }
        self.hand_over_progress(now);
    }

    /// As the windows' paces call this partition.
    fn source(&self, target: &Target) -> (usize, i32) {
        (target.topic, self.taken.partition)
    }

    /// Whether the partition is more than a window ahead of the slowest that this instance reads. Where several windows
    /// share it, all must say so: those of one may wait for it, and two that wait for each other would do so for ever.
    fn is_ahead(&mut self) -> bool {
        // Before the look: what changes from here on wakes us.
        self.changes.iter_mut().for_each(watch::Receiver::mark_unchanged);
        self.shared.targets.iter().all(|target| {
            let window = &target.window;
            window.pace.is_ahead(self.source(target), window.kind().size())
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(target) = self.shared.targets.first() {
            fail_if_panicking(&self.taken, target.window.spec.name, self.silence.next());
        }
        for target in &self.shared.targets {
            target.window.pace.left(self.source(target), self.taken.epoch);
        }
        self.taken.end();
    }
}

impl Target {
    fn idle(&self) -> Option<i64> {
        self.window.spec.idle.map(millis)
    }

    fn max_future(&self) -> Option<i64> {
        self.window.spec.max_future.map(millis)
    }

    /// How often its claims are repeated: a claim that was not for as long as `idle` has expired.
    fn repeat(&self) -> i64 {
        self.idle().map_or(REPEAT, |idle| (idle / 3).max(1))
    }
}

/// The batch that is being filled. There is none without a membership: then the assignment is about to end, too.
fn open<'a>(batch: &'a mut Option<Batch>, taken: &Taken) -> Option<&'a mut Batch> {
    if batch.is_none() {
        *batch = taken.membership().map(Batch::new);
    }
    batch.as_mut()
}

/// When what came now is handed over, within `interval`: all partitions do so at the same moments and so in one
/// transaction. Time moves once all have spoken, and a window that waits for one of them waits for its transaction.
fn together(now: i64, interval: i64) -> i64 {
    now.div_euclid(interval.max(1)).saturating_add(1).saturating_mul(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_hand_over_together() {
        assert_eq!([99, 100, 101, 199].map(|now| together(now, 100)), [100, 200, 200, 200]);
        assert!(together(5, 0) <= 5, "at once");
    }
}
