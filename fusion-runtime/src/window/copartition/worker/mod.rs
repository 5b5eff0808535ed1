//! The work on the partitions of one number, for one assignment.

mod join;
mod part;
mod read;

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use futures_util::{
    future::{BoxFuture, FutureExt},
    stream::{FuturesUnordered, StreamExt},
};
use tokio::time::sleep_until;

use crate::{
    Error,
    broker::ffi::{self, GroupMetadata},
    window::{
        HeldBack, HeldBackReason, WindowLog, clock,
        core::Sources,
        drain::{Draining, Step},
        due::Due,
        fail_if_panicking,
        gathering::{Commit, Ended, Gathering, Look, Outbox},
        intake::Question,
        observed::Ends,
        typed::millis,
    },
};

use super::{Shared, input::Input, left::Remembered, partitioner::Sampler};

/// How long the partitions of one number may take to come, of which one assignment brings all.
const TOGETHER: Duration = Duration::from_secs(10);
/// How long to wait before a leader that gave no answer is asked again, in milliseconds.
const ASK_AGAIN: i64 = 500;
/// A pause for those that are ahead of the slowest, in milliseconds.
const AHEAD: i64 = 50;

type Asking = FuturesUnordered<BoxFuture<'static, (usize, Option<i64>, Question)>>;

pub(super) struct Worker {
    shared: Arc<Shared>,
    number: i32,
    /// In the order of the declaration.
    inputs: Vec<Input>,
    sources: Sources,
    gathering: Box<dyn Gathering>,
    outbox: Outbox,
    sampler: Sampler,
    asking: Asking,
    /// Where the last cut was made, with how many windows open, and when the next one is.
    cut_at: Vec<i64>,
    cut_open: usize,
    due: Due,
    /// The input that is read next.
    turn: usize,
    draining: Draining,
    look: Look,
    ends: Ends,
}

impl Worker {
    pub(super) async fn run(mut self) {
        loop {
            let now = clock::now();
            if let Err(error) = self.release(now).and_then(|()| self.check_bounds()) {
                self.inputs[0].taken.fail(error);
                break;
            }
            self.ask_for_ends(now);
            self.move_time(now);
            self.outbox.start(&mut *self.gathering).await;
            self.cut(now);
            if self.drain(now) {
                continue;
            }
            self.hand_over();
            self.tell(now);
            let wake = clock::instant(self.wake_at(now), now);
            let room = self.gathering.fired() == 0 && self.outbox.has_room();
            let reading: Vec<bool> =
                (0..self.inputs.len()).map(|log| room && self.may_read(log, now)).collect();
            let (inputs, turn) = (&mut self.inputs, self.turn);
            let next = poll_fn(|cx| {
                // All of them, so that each wakes us.
                let stopping = inputs.iter().filter(|input| input.taken.assignment.poll_stopped(cx));
                if stopping.count() > 0 {
                    return Poll::Ready(None);
                }
                for place in 0..inputs.len() {
                    let log = (turn + place) % inputs.len();
                    if reading[log]
                        && let Poll::Ready(batch) = inputs[log].taken.batches.poll_recv(cx)
                    {
                        return Poll::Ready(batch.map(|batch| (log, batch)));
                    }
                }
                Poll::Pending
            });
            tokio::select! {
                biased;
                turned = self.outbox.turn() => if !goes_on(&self.inputs, turned) {
                    break;
                },
                () = self.draining.requested() => {}
                Some((log, end, question)) = self.asking.next(), if !self.asking.is_empty() => {
                    self.told_end(log, end, question, now);
                }
                next = next => match next {
                    Some((log, batch)) => {
                        self.turn = log + 1;
                        if let Err(error) = self.take(log, batch) {
                            self.inputs[log].taken.fail(error);
                            break;
                        }
                    }
                    None => break,
                },
                () = sleep_until(wake) => {}
            }
        }
        self.give_back().await;
        self.part().await;
    }

    /// What has fired is seen through, and the assignment ends with its transaction. Nothing fires because of the end.
    async fn give_back(&mut self) {
        for input in &mut self.inputs {
            input.held = ffi::Batch::default();
            while input.taken.batches.try_recv().is_ok() {}
        }
        let assignment = self.inputs[0].taken.assignment.clone();
        while !self.inputs.iter().any(|input| input.taken.assignment.is_abandoned()) {
            self.outbox.start(&mut *self.gathering).await;
            self.cut_now(clock::now());
            self.hand_over();
            self.outbox.hurry();
            if self.outbox.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = assignment.abandoned() => {}
                turned = self.outbox.turn() => if !goes_on(&self.inputs, turned) {
                    return;
                },
            }
        }
    }

    /// Whether more of a partition may be read: not while it waits for others to be replayed as far, nor while it is more
    /// than a window ahead of the slowest. What is replayed counts as behind: the slowest goes on only when it is over.
    fn may_read(&self, log: usize, now: i64) -> bool {
        let size = self.shared.declared.kind().size();
        self.inputs[log].held.is_empty()
            && (self.gathering.is_replaying() || !self.sources.is_ahead(log, size, now))
    }

    fn wake_at(&self, now: i64) -> i64 {
        let mut wake = now + 10_000;
        if self.is_new()
            && let Some(due) = self.due.wake(self.outbox.has_results(), self.may_cut(), now)
        {
            wake = wake.min(due);
        }
        if let Some(idle) = self.shared.declared.spec.idle.map(millis) {
            for (log, input) in self.inputs.iter().enumerate() {
                let change = input.silence.changes(self.sources.heard(log), idle, now);
                let again = Some(input.ask_at).filter(|again| *again > now);
                wake = change.into_iter().chain(again).fold(wake, i64::min);
            }
        }
        if let Some(due) = self.gathering.next_close().and_then(|close| self.sources.due(close, now)) {
            wake = wake.min(due.max(now + 1));
        }
        if (0..self.inputs.len())
            .any(|log| self.sources.is_ahead(log, self.shared.declared.kind().size(), now))
        {
            wake = wake.min(now + AHEAD);
        }
        wake
    }

    /// Asks leaders on whose word it depends whether their partitions are silent.
    fn ask_for_ends(&mut self, now: i64) {
        let Some(idle) = self.shared.declared.spec.idle.map(millis) else { return };
        for (log, input) in self.inputs.iter_mut().enumerate() {
            let heard = self.sources.heard(log);
            self.sources.caught_up(log, input.silence.is_idle(heard, idle, now));
            if input.asking || now < input.ask_at || !input.silence.is_unconfirmed(heard, idle, now) {
                continue;
            }
            input.asking = true;
            let (ends, topic, number) = (self.shared.ends.clone(), input.topic.clone(), self.number);
            let question = input.silence.ask(now);
            self.asking.push(async move { (log, ends.of(&topic, number).await, question) }.boxed());
        }
    }

    fn told_end(&mut self, log: usize, end: Option<i64>, question: Question, now: i64) {
        let input = &mut self.inputs[log];
        input.asking = false;
        input.silence.confirm(end, question);
        if let Some(idle) = self.shared.declared.spec.idle.map(millis) {
            let heard = self.sources.heard(log);
            if input.silence.is_unconfirmed(heard, idle, now) {
                input.ask_at = now + ASK_AGAIN;
            }
            self.sources.caught_up(log, input.silence.is_idle(heard, idle, now));
        }
    }

    /// Moves time with the clock, where all partitions are silent, or because one has just become so.
    fn move_time(&mut self, now: i64) {
        let Some(time) = self.sources.now(now) else { return };
        if self.gathering.time().is_none_or(|before| before < time.at) {
            self.gathering.advance(None, time);
        }
    }

    fn error(&self, offset: i64, reason: String) -> Error {
        Error::Window { name: self.shared.declared.spec.name, partition: self.number, offset, reason }
    }

    /// Whether the last cut does not say all. The clock closes windows without moving an offset, and some close without a
    /// result; nothing opens meanwhile, so then fewer are open.
    fn is_new(&self) -> bool {
        self.outbox.has_results()
            || self.inputs.iter().map(|input| input.silence.next()).ne(self.cut_at.iter().copied())
            || self.gathering.open_keys() != self.cut_open
    }

    /// Everything that fired must have been started, and everything that was decided before decided again.
    fn may_cut(&self) -> bool {
        self.gathering.fired() == 0 && !self.gathering.is_replaying() && self.outbox.may_cut()
    }

    /// Cuts without waiting for the interval, if there is anything new.
    fn cut_now(&mut self, now: i64) {
        self.due.hurry();
        self.cut(now);
    }

    /// Cuts, if it is time and there is anything new.
    fn cut(&mut self, now: i64) {
        if !self.due.is_now(self.outbox.has_results(), now) || !self.is_new() || !self.may_cut() {
            return;
        }
        let highs: Vec<i64> = self.inputs.iter().map(|input| input.silence.next()).collect();
        let Some(parts) = self.gathering.parts(&highs) else { return };
        let time = self.gathering.time();
        let (sources, declaration) = (&mut self.sources, &self.shared.declared.declaration);
        let commits = self.inputs.iter().zip(parts).enumerate().map(|(log, (input, part))| {
            let newest = sources.newest(log);
            let far = sources.far(log, part.needed).clone();
            let remembered = Remembered { part, time, newest, far };
            Commit {
                topic: input.topic.clone(),
                partition: self.number,
                epoch: input.taken.epoch,
                metadata: remembered.to_metadata(declaration),
            }
        });
        let commits = commits.collect();
        self.outbox.cut(commits);
        (self.cut_at, self.cut_open) = (highs, self.gathering.open_keys());
        self.due.made(now, self.inputs[0].taken.core.settings.commit_interval);
    }

    /// Goes on with a drain, if there is one; `true`: windows may have fired.
    fn drain(&mut self, now: i64) -> bool {
        match self.draining.step() {
            Step::Asked if !self.gathering.is_replaying() => {
                self.gathering.drain(None);
                self.draining.reach(Step::Fired);
                return true;
            }
            Step::Fired if self.may_cut() => {
                self.cut_now(now);
                self.draining.reach(Step::Cut(self.outbox.made()));
            }
            _ => {}
        }
        self.draining.committed(self.outbox.confirmed().cuts);
        false
    }

    /// Tells where the partitions are.
    fn tell(&mut self, now: i64) {
        let committed = &self.outbox.confirmed().offsets;
        let logs = self.inputs.iter().zip(committed).map(|(input, committed)| WindowLog {
            topic: input.topic.to_string(),
            committed: *committed,
            next: input.silence.next(),
            decided: input.high,
            end: input.silence.next(),
        });
        let logs = logs.collect();
        let spec = self.shared.declared.spec;
        let holder = self.sources.holder(now).map(|log| HeldBack {
            topic: spec.topics[log],
            partition: self.number,
            reason: HeldBackReason::of(self.sources.newest(log).is_some()),
        });
        let partition = self.look.at(&*self.gathering, spec.kind, (self.number, now), holder, logs);
        self.shared.declared.observed.at(self.inputs[0].taken.epoch, partition, &self.ends);
    }

    fn hand_over(&mut self) {
        let inputs = &self.inputs;
        self.outbox.hand_over(|| membership(inputs));
    }
}

/// What shows that this member may commit for all of them.
fn membership(inputs: &[Input]) -> Option<GroupMetadata> {
    let mut membership = None;
    for input in inputs {
        membership = Some(input.taken.membership()?);
    }
    membership
}

fn goes_on(inputs: &[Input], turned: Result<(), Ended>) -> bool {
    match turned {
        Ok(()) => true,
        Err(Ended::Lost) => false,
        Err(Ended::Failed(error)) => {
            inputs[0].taken.fail(error);
            false
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (declared, epoch) = (&self.shared.declared, self.inputs[0].taken.epoch);
        fail_if_panicking(&self.inputs[0].taken, declared.spec.name, self.inputs[0].silence.next());
        declared.drains.leave(self.number, epoch);
        declared.observed.left(epoch, self.number);
        for input in &mut self.inputs {
            input.held = ffi::Batch::default();
            input.taken.end();
        }
    }
}
