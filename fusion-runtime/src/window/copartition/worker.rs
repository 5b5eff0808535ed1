//! The work on the partitions of one number, for one assignment.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use futures_util::{
    future::{BoxFuture, FutureExt},
    stream::{FuturesUnordered, StreamExt},
};
use tokio::{
    sync::mpsc,
    time::{sleep_until, timeout_at},
};

use crate::{
    Error,
    broker::ffi::{self, GroupMetadata, MessageError},
    produce::transactions::CommitMetadata,
    window::{
        WindowLog, clock,
        core::{Intake, Part, Skip, Sources, Verdict},
        drain::{Draining, Step},
        gathering::{Commit, Direct, Emit, Ended, Env, Gathering, Judged, Left, Look, Outbox, Sorted},
        intake::{Newest, Silence},
        observed::Skipped,
        typed::{Declared, millis},
        unread,
    },
};

use super::{Joining, Shared, input::Input, left::Remembered, partitioner::Sampler};

/// How long the partitions of one number may take to come, of which one assignment brings all.
const TOGETHER: Duration = Duration::from_secs(10);
/// How often an offset is committed that has only moved, in milliseconds.
const QUIET: i64 = 1_000;
/// How long to wait before a leader that gave no answer is asked again, in milliseconds.
const ASK_AGAIN: i64 = 500;
/// A pause for those that are ahead of the slowest, in milliseconds.
const AHEAD: i64 = 50;

type Asking = FuturesUnordered<BoxFuture<'static, (usize, Option<i64>, i64)>>;

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
    /// Where the last cut was made, and when the next one is.
    cut_at: Vec<i64>,
    next_cut: i64,
    /// The input that is read next.
    turn: usize,
    draining: Draining,
    look: Look,
}

impl Worker {
    /// Waits for all partitions of the number. `None` if they do not all come.
    pub(super) async fn gather(
        shared: Arc<Shared>,
        first: Joining,
        mut others: mpsc::UnboundedReceiver<Joining>,
    ) -> Option<Self> {
        let number = first.taken.partition;
        let topics = shared.declared.spec.topics.len();
        let limit = tokio::time::Instant::now() + TOGETHER;
        let mut joined = Joined(vec![first]);
        while joined.0.len() < topics {
            let stopped = joined.0[0].taken.assignment.clone();
            tokio::select! {
                () = stopped.stopped() => {
                    shared.complete(number);
                    return None;
                }
                other = timeout_at(limit, others.recv()) => match other {
                    Ok(Some(other)) => joined.0.push(other),
                    Ok(None) | Err(_) => {
                        shared.complete(number);
                        joined.fail(&shared, number);
                        return None;
                    }
                },
            }
        }
        shared.complete(number);
        Worker::new(shared, joined, number)
    }

    fn new(shared: Arc<Shared>, mut joined: Joined, number: i32) -> Option<Self> {
        let declared = shared.declared.clone();
        let spec = declared.spec;
        let now = clock::now();
        joined.0.sort_by_key(|joining| joining.topic);
        let remembered: Option<Vec<Remembered>> = joined
            .0
            .iter()
            .map(|joining| joining.taken.left.as_ref().and_then(Remembered::from_metadata))
            .collect();
        if remembered.is_none() && joined.0.iter().any(|joining| joining.taken.left.is_some()) {
            // Of a window over all of them, a part says nothing.
            tracing::warn!(
                window = spec.name,
                number,
                "not all partitions of the number have valid metadata: their windows begin empty"
            );
        }
        let parts: Option<Vec<Part>> =
            remembered.as_ref().map(|all| all.iter().map(|one| one.part).collect());
        let time = remembered.iter().flatten().filter_map(|one| one.time).max();
        let left = match &parts {
            Some(parts) => Left::Parts { time, parts },
            None => Left::Nothing { logs: joined.0.len() },
        };
        let core = joined.0[0].taken.core.clone();
        let topic: Arc<str> = spec.name.into();
        let env =
            Env { core: core.clone(), declared: declared.clone(), topic: topic.clone(), partition: number };
        let gathering = match declared.window.gathering(env, left) {
            Ok(gathering) => gathering,
            Err(error) => {
                let reason = error.to_string();
                let offset = joined.0[0].taken.start;
                joined.0[0].taken.fail(Error::Window { name: spec.name, partition: number, offset, reason });
                return None;
            }
        };
        let mut sources = Sources::new(spec.idle.map(millis), spec.max_future.map(millis));
        sources.restore(time);
        let mut inputs = Vec::new();
        for (log, joining) in std::mem::take(&mut joined.0).into_iter().enumerate() {
            let remembered = remembered.as_ref().map(|all| all[log]);
            let newest = remembered.map(|one| one.newest).unwrap_or_default();
            sources.assign(newest.time, now);
            if let Some(time) = newest.time {
                sources.arrived(log, time, newest.arrived);
            }
            let taken = joining.taken;
            inputs.push(Input {
                topic: spec.topics[joining.topic].into(),
                high: remembered.map_or(taken.start, |one| one.part.high),
                silence: Silence::new(taken.start),
                held: ffi::Batch::default(),
                asking: false,
                ask_at: 0,
                taken,
            });
        }
        let epoch = inputs[0].taken.epoch;
        let committed = inputs.iter().map(|input| Commit {
            topic: input.topic.clone(),
            partition: number,
            epoch: input.taken.epoch,
            metadata: input.taken.left.clone().unwrap_or_else(|| CommitMetadata::new(input.taken.start)),
        });
        let outbox = Outbox::new(
            core,
            declared.clone(),
            shared.transactions.clone(),
            (topic, number),
            committed.collect(),
        );
        Some(Worker {
            // Where a group begins is committed at once: whoever has the partitions next begins there, too.
            cut_at: match &parts {
                Some(parts) => parts.iter().map(|part| part.high).collect(),
                None => Vec::new(),
            },
            sampler: Sampler::new(declared.partitions),
            number,
            inputs,
            sources,
            gathering,
            outbox,
            asking: FuturesUnordered::new(),
            next_cut: 0,
            turn: 0,
            draining: declared.drains.join(number, epoch),
            look: Look::default(),
            shared,
        })
    }

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
                Some((log, end, asked)) = self.asking.next(), if !self.asking.is_empty() => {
                    self.told_end(log, end, asked, now);
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
            self.next_cut = i64::MIN / 2;
            self.cut(clock::now());
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
        let highs = self.inputs.iter().map(|input| input.silence.next());
        // The clock fires windows without moving an offset.
        if self.outbox.has_results() || highs.ne(self.cut_at.iter().copied()) {
            wake = wake.min(self.cut_due().max(now + 1));
        }
        if let Some(idle) = self.shared.declared.spec.idle.map(millis) {
            for (log, input) in self.inputs.iter().enumerate() {
                let silent = input.silence.due(self.sources.heard(log), idle).filter(|silent| *silent > now);
                let again = Some(input.ask_at).filter(|again| *again > now);
                wake = silent.into_iter().chain(again).fold(wake, i64::min);
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
            self.asking.push(async move { (log, ends.of(&topic, number).await, now) }.boxed());
        }
    }

    fn told_end(&mut self, log: usize, end: Option<i64>, asked: i64, now: i64) {
        let input = &mut self.inputs[log];
        input.asking = false;
        input.silence.confirm(end, asked);
        if let Some(idle) = self.shared.declared.spec.idle.map(millis) {
            let heard = self.sources.heard(log);
            // What a partition that is ahead has not taken yet lies beyond the end that it saw.
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

    /// Goes on with what had to wait.
    fn release(&mut self, now: i64) -> Result<(), Error> {
        if self.gathering.is_replaying() {
            return Ok(());
        }
        for log in 0..self.inputs.len() {
            if !self.inputs[log].held.is_empty() {
                let batch = std::mem::take(&mut self.inputs[log].held);
                self.read(log, batch, now)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, log: usize, batch: ffi::Batch) -> Result<(), Error> {
        self.read(log, batch, clock::now())
    }

    fn read(&mut self, log: usize, mut batch: ffi::Batch, now: i64) -> Result<(), Error> {
        let (mut count, mut bytes) = (0, 0);
        // Once a batch: all numbers count on it, from all threads.
        let declared = self.shared.declared.clone();
        while let Some(next) = batch.peek() {
            // What is new waits until everything that was decided before has been decided again.
            if next.offset() >= self.inputs[log].high && self.gathering.is_replaying() {
                self.gathering.reached(log, next.offset());
                if self.gathering.is_replaying() {
                    break;
                }
            }
            bytes += next.byte_size();
            count += 1;
            let Some(read) = batch.next(|message| self.message(&declared, log, message, now)) else { break };
            read?;
        }
        self.gathering.reached(log, self.inputs[log].silence.next());
        let input = &mut self.inputs[log];
        input.held = batch;
        input.taken.took(count, bytes);
        Ok(())
    }

    fn message(
        &mut self,
        declared: &Declared,
        log: usize,
        message: &ffi::Message,
        now: i64,
    ) -> Result<(), Error> {
        let input = &mut self.inputs[log];
        match message.error() {
            Some(MessageError::EndOfPartition) => {
                input.silence.end(message.offset());
                return Ok(());
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let offset = message.offset();
        input.silence.record(offset);
        let quiet = offset < input.high;
        self.sources.caught_up(log, false);
        let input = &self.inputs[log];
        let record = input.record(message);
        let (sources, sampler, number) = (&mut self.sources, &mut self.sampler, self.number);
        let mut elsewhere = false;
        let observed = &declared.observed;
        let mut judge = |key: &[u8], time: i64| {
            if !sampler.is_here(key, number) {
                elsewhere = true;
                return Judged::Skipped(Skipped::NoKey);
            }
            match sources.take(log, time, now) {
                Intake::Taken => {}
                Intake::Ahead if !quiet => observed.skip(log, Skipped::Ahead),
                Intake::Ahead => {}
                Intake::Skipped(Skip::Negative) => return Judged::Skipped(Skipped::NoTime),
                Intake::Skipped(Skip::TooFar) => return Judged::Skipped(Skipped::TooFar),
            }
            Judged::Gathered(sources.now(now))
        };
        let direct = unread(record.value, record.headers).and_then(|value| {
            self.gathering.direct(
                Direct {
                    log,
                    offset,
                    value,
                    partition: number,
                    timestamp: record.timestamp,
                    source: &input.topic,
                    size: record.byte_size(),
                },
                &mut judge,
            )
        });
        if elsewhere {
            return Err(self.elsewhere(log, offset));
        }
        for late in self.gathering.late() {
            declared.observed.late(log, late.reason, late.lateness);
        }
        match direct {
            Ok(Sorted::Gathered(Verdict::Late(reason))) if declared.spec.late.is_some() => {
                self.outbox.push(Emit::Late { record: record.to_owned(), reason });
            }
            Ok(Sorted::Gathered(_)) => {}
            _ if quiet => {}
            skipped => {
                let (reason, message) = match &skipped {
                    Err(failure) => (Skipped::Undecodable, failure.message()),
                    Ok(Sorted::Skipped(reason)) => (*reason, ""),
                    Ok(Sorted::Gathered(_)) => return Ok(()),
                };
                declared.observed.skip(log, reason);
                if reason.is_kept(&input.taken.core.settings) {
                    let message = message.to_owned();
                    self.outbox.push(Emit::Skipped { record: record.to_owned(), reason, message });
                }
            }
        }
        Ok(())
    }

    fn elsewhere(&self, log: usize, offset: i64) -> Error {
        self.error(
            offset,
            format!(
                "a record of topic `{}` does not lie in the partition of its window's key: the sources are not \
                 partitioned by it, or each in another way. Remove `copartitioned`",
                self.inputs[log].topic
            ),
        )
    }

    fn error(&self, offset: i64, reason: String) -> Error {
        Error::Window { name: self.shared.declared.spec.name, partition: self.number, offset, reason }
    }

    fn check_bounds(&self) -> Result<(), Error> {
        let (keys, bytes) = (self.gathering.open_keys() as u64, self.gathering.open_bytes());
        match self.shared.declared.spec.max_open.exceeded(keys, bytes) {
            Some(reason) => Err(self.error(self.inputs[0].silence.next(), reason)),
            None => Ok(()),
        }
    }

    fn cut_due(&self) -> i64 {
        if self.outbox.has_results() { self.next_cut } else { self.next_cut + QUIET }
    }

    /// Cuts, if it is time and there is anything new. Everything that fired up to here must have been started.
    fn cut(&mut self, now: i64) {
        let highs: Vec<i64> = self.inputs.iter().map(|input| input.silence.next()).collect();
        let is_new = highs != self.cut_at || self.outbox.has_results();
        if !is_new || self.gathering.fired() > 0 || now < self.cut_due() {
            return;
        }
        // Not while it still reads again what was decided before.
        let Some(parts) = self.gathering.parts(&highs) else { return };
        let time = self.gathering.time();
        let commits = self.inputs.iter().enumerate().map(|(log, input)| {
            let newest = self
                .sources
                .newest(log)
                .map(|newest| Newest { time: Some(newest.time), arrived: newest.arrived });
            let remembered = Remembered { part: parts[log], time, newest: newest.unwrap_or_default() };
            Commit {
                topic: input.topic.clone(),
                partition: self.number,
                epoch: input.taken.epoch,
                metadata: remembered.to_metadata(),
            }
        });
        let commits = commits.collect();
        self.outbox.cut(commits);
        self.cut_at = highs;
        let interval = self.inputs[0].taken.core.settings.commit_interval;
        self.next_cut = now + millis(interval);
    }

    /// Goes on with a drain, if there is one; `true`: windows may have fired.
    fn drain(&mut self, now: i64) -> bool {
        match self.draining.step() {
            Step::Asked if !self.gathering.is_replaying() => {
                self.gathering.drain(None);
                self.draining.reach(Step::Fired);
                return true;
            }
            Step::Fired if self.gathering.fired() == 0 => {
                self.next_cut = i64::MIN / 2;
                self.cut(now);
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
            end: input.taken.assignment.known_end().max(input.silence.next()),
        });
        let logs = logs.collect();
        let spec = self.shared.declared.spec;
        let holder = self.sources.holder(now).map(|log| (spec.topics[log], self.number));
        let partition = self.look.at(&*self.gathering, spec.kind, (self.number, now), holder, logs);
        self.shared.declared.observed.at(self.inputs[0].taken.epoch, partition);
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

/// Those that have come so far. Whatever becomes of them, their assignments end.
struct Joined(Vec<Joining>);

impl Joined {
    fn fail(&self, shared: &Shared, number: i32) {
        let spec = shared.declared.spec;
        let came: Vec<&str> = self.0.iter().map(|joining| spec.topics[joining.topic]).collect();
        let reason = format!(
            "of the partitions of this number, this member was given only those of {}: members must be given all. Leave \
             `partition.assignment.strategy` at `range`, or with the group protocol `consumer` set \
             `group.remote.assignor` to `range`",
            came.join(", ")
        );
        let (name, offset) = (spec.name, self.0[0].taken.start);
        self.0[0].taken.fail(Error::Window { name, partition: number, offset, reason });
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|joining| joining.taken.end());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (declared, epoch) = (&self.shared.declared, self.inputs[0].taken.epoch);
        declared.drains.leave(self.number, epoch);
        declared.observed.left(epoch, self.number);
        for input in &mut self.inputs {
            input.held = ffi::Batch::default();
            input.taken.end();
        }
    }
}
