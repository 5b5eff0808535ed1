//! The work on one source partition, for one assignment.

mod sort;

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    future::{BoxFuture, FutureExt, OptionFuture, select_all},
    stream::{FuturesOrdered, StreamExt},
};
use tokio::{sync::watch, time::sleep_until};

use crate::{
    consume::Taken,
    produce::{
        Outgoing,
        transactions::{Batch, CommitMetadata, Outcome, Pending, TransactionError},
    },
    record::wire::HeaderBuf,
    window::{
        clock, fail_if_panicking,
        log::{CONTROL, Claim, Control},
        typed::millis,
    },
};

use super::{
    Shared, Target,
    clock::{Newest, Silence},
    pace::Reached,
};

/// A batch is handed over when it is this large, or this old.
const MOST_RECORDS: usize = 8_192;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Batches on their way to a transaction; beyond them nothing more is read.
const MOST_PENDING: usize = 2;
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
    /// For each target, the newest time, and when it last took a word about time.
    newest: Vec<Newest>,
    heard: Vec<i64>,
    silence: Silence,
    /// For each target, whether it was told to be idle.
    told_idle: Vec<bool>,
    batch: Option<Batch>,
    /// When the batch is handed over, and when the claims are repeated; milliseconds since 1970.
    due: Option<i64>,
    repeat: i64,
    pending: FuturesOrdered<Pending>,
    /// What is committed, and what the pending ones will have committed.
    committed: i64,
    commits: VecDeque<i64>,
    asking: Option<BoxFuture<'static, (Option<i64>, i64)>>,
    ask_at: i64,
    /// Tell when others have come further, one for each target.
    changes: Vec<watch::Receiver<()>>,
    headers: HeaderBuf,
    source: Vec<u8>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, taken: Taken) -> Self {
        let now = clock::now();
        let left = taken.left.as_ref();
        let newest = shared.targets.iter().map(|target| recall(left, target)).collect();
        Worker {
            silence: Silence::new(taken.start),
            heard: vec![now; shared.targets.len()],
            told_idle: vec![false; shared.targets.len()],
            newest,
            batch: None,
            due: None,
            // Whoever had the partition before may have called it idle.
            repeat: now,
            pending: FuturesOrdered::new(),
            committed: taken.start,
            commits: VecDeque::new(),
            asking: None,
            ask_at: 0,
            changes: shared.targets.iter().map(|target| target.window.pace.changes()).collect(),
            headers: HeaderBuf::new(),
            source: Vec::new(),
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
                Some((end, asked)) = OptionFuture::from(self.asking.as_mut()) => {
                    self.asking = None;
                    self.silence.confirm(end, asked);
                    if self.wants_the_end(now) {
                        self.ask_at = now + ASK_AGAIN;
                    }
                }
                Some(()) = OptionFuture::from(others) => {}
                batch = self.taken.batches.recv(), if room && !ahead => match batch {
                    // As it is now: nothing arrived as early as the wait for it began.
                    Some(batch) => self.take(batch, clock::now()),
                    None => break,
                },
                () = sleep_until(wake), if room || !member => {}
            }
        }
        self.give_back().await;
    }

    /// What was read is handed over, and the assignment ends with its transaction: whoever has the partition next begins
    /// behind it.
    async fn give_back(&mut self) {
        let assignment = self.taken.assignment.clone();
        while self.taken.batches.try_recv().is_ok() {}
        if !assignment.is_abandoned() {
            self.hand_over(clock::now());
            self.shared.transactions.hurry();
        }
        while !assignment.is_abandoned() {
            tokio::select! {
                outcome = self.pending.next() => match outcome {
                    Some(outcome) => drop(self.settle(outcome)),
                    None => break,
                },
                () = assignment.abandoned() => {}
            }
        }
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

    fn wake_at(&self, now: i64) -> i64 {
        let mut wake = self.repeat;
        wake = self.due.map_or(wake, |due| due.min(wake));
        for (target, heard) in self.shared.targets.iter().zip(&self.heard) {
            let Some(idle) = target.idle() else { continue };
            if let Some(silent) = self.silence.due(*heard, idle).filter(|silent| *silent > now) {
                wake = wake.min(silent);
            }
        }
        if self.ask_at > now { wake.min(self.ask_at) } else { wake }
    }

    /// Asks the leader, if it depends on its word whether the partition is silent.
    fn ask_for_the_end(&mut self, now: i64) {
        if self.asking.is_some() || now < self.ask_at || !self.wants_the_end(now) {
            return;
        }
        let (ends, topic, partition) =
            (self.shared.ends.clone(), self.shared.topic.clone(), self.taken.partition);
        self.asking = Some(async move { (ends.of(&topic, partition).await, now) }.boxed());
    }

    /// Whether it depends on the leader's word whether the partition is silent.
    fn wants_the_end(&self, now: i64) -> bool {
        let mut targets = self.shared.targets.iter().zip(&self.heard);
        targets.any(|(target, heard)| {
            target.idle().is_some_and(|idle| self.silence.is_unconfirmed(*heard, idle, now))
        })
    }

    /// Hands over what is due, and repeats the claims when it is time or when silence begins or ends.
    fn speak(&mut self, now: i64) {
        let idle = |(target, heard): (&Target, &i64)| {
            target.idle().is_some_and(|idle| self.silence.is_idle(*heard, idle, now))
        };
        let idle: Vec<bool> = self.shared.targets.iter().zip(&self.heard).map(idle).collect();
        for ((target, newest), idle) in self.shared.targets.iter().zip(&self.newest).zip(&idle) {
            let lag = (self.taken.assignment.known_end().max(self.silence.next()) - self.committed).max(0);
            let reached = Reached { epoch: self.taken.epoch, newest: newest.time, idle: *idle, lag };
            target.window.pace.reached(self.source(target), reached);
        }
        let changed = idle != self.told_idle;
        let due = self.due.is_some_and(|due| due <= now) || self.repeat <= now || changed;
        if due && self.pending.len() < MOST_PENDING {
            self.told_idle = idle;
            self.hand_over(now);
        }
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

    /// Hands over what was read, and behind it, into every partition of each log, what this partition knows of time.
    fn hand_over(&mut self, now: i64) {
        open(&mut self.batch, &self.taken);
        let Some(mut batch) = self.batch.take() else { return };
        let next = self.silence.next();
        let mut metadata = CommitMetadata::new(next);
        for (index, target) in self.shared.targets.iter().enumerate() {
            let newest = self.newest[index];
            remember(&mut metadata, target, newest);
            let control = Control {
                stamp: now,
                partitions: target.window.partitions,
                sources: target.window.sources.as_slice().into(),
                claims: vec![Claim {
                    topic: self.shared.topic.as_str().into(),
                    partition: self.taken.partition,
                    newest: newest.time.map(|time| (time, newest.arrived)),
                    idle: self.told_idle[index],
                }],
                drain: false,
            };
            let value = control.to_bytes();
            for partition in 0..target.window.partitions {
                batch.push(&Outgoing {
                    partition: Some(partition),
                    value: Some(&value),
                    timestamp: Some(now),
                    headers: &[(CONTROL.as_bytes(), Some(b"1"))],
                    ..Outgoing::to(&target.window.log)
                });
            }
        }
        batch.commit(&self.shared.topic, self.taken.partition, self.taken.epoch, metadata);
        self.pending.push_back(self.shared.transactions.submit(batch));
        self.commits.push_back(next);
        self.due = None;
        self.repeat = now + self.shared.targets.iter().map(Target::repeat).min().unwrap_or(REPEAT);
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

    /// How its window is called in the metadata that all windows of a topic share.
    fn field(&self, kind: char) -> String {
        format!("{kind}{:08x}", crate::window::short_hash(self.window.spec.name))
    }
}

fn recall(left: Option<&CommitMetadata>, target: &Target) -> Newest {
    let time = left.and_then(|left| left.number(&target.field('n')));
    let arrived = left.and_then(|left| left.number(&target.field('a'))).unwrap_or(0);
    Newest { time, arrived }
}

fn remember(metadata: &mut CommitMetadata, target: &Target, newest: Newest) {
    if let Some(time) = newest.time {
        metadata.set_number(&target.field('n'), time);
        metadata.set_number(&target.field('a'), newest.arrived);
    }
}

/// The batch that is being filled. There is none without a membership: then the assignment is about to end, too.
fn open<'a>(batch: &'a mut Option<Batch>, taken: &Taken) -> Option<&'a mut Batch> {
    if batch.is_none() {
        *batch = taken.membership().map(Batch::new);
    }
    batch.as_mut()
}
