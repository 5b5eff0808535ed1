//! The work on one partition of a window's log, for one assignment.

mod read;

use std::sync::Arc;

use tokio::time::sleep_until;

use crate::{
    Error,
    consume::Taken,
    produce::{Outgoing, transactions::Batch},
    window::{
        ANEW, HeldBack, WindowLog, clock,
        core::{Claims, Cut, CutLimit, Needed},
        drain::Draining,
        due::Due,
        fail_if_panicking,
        log::{CONTROL, Control},
        observed::Ends,
        typed::Declared,
    },
};

use super::{
    Shared,
    clocks::Clocks,
    left::{check, check_declaration, resumed, splits_within, to_metadata},
    look::Look,
    outbox::{Commit, Ended, Outbox},
    typed::{Env, Gathering, Left},
};

/// The least distance of two ticks, and how long one may take to come back, in milliseconds.
const TICKS: i64 = 100;
pub(super) const TICK_LOST: i64 = 5_000;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    taken: Taken,
    topic: Arc<str>,
    pub(super) gathering: Box<dyn Gathering>,
    claims: Claims,
    clocks: Clocks,
    /// The offset from which records are decided; below it only claims are restored.
    decides: i64,
    /// The offset below which nothing is said, because it was.
    high: i64,
    /// The lowest offset that the last cut needs.
    needed: i64,
    /// The offset of the record that comes next.
    pub(super) next: i64,
    pub(super) outbox: Outbox,
    /// Where the last cut was made, and when the next one is.
    pub(super) cut_at: i64,
    due: Due,
    pub(super) draining: Draining,
    look: Look,
    /// The offset below which the log was said to be needed no more.
    trimmed: i64,
    /// How many records were read, and their bytes.
    read: (u64, u64),
    /// The stamp of a tick that was written and not read back yet.
    ticked: Option<i64>,
    last_tick: i64,
    ends: Ends,
}

impl Worker {
    /// `None` if the partition cannot be served; then the app fails.
    pub(super) fn new(shared: Arc<Shared>, mut taken: Taken) -> Option<Self> {
        let declared = &shared.declared;
        let left = taken.left.as_ref().and_then(|left| resumed(left, &declared.declaration));
        let topic: Arc<str> = declared.log.as_str().into();
        let env = Env {
            core: taken.core.clone(),
            declared: declared.clone(),
            topic: topic.clone(),
            partition: taken.partition,
        };
        let state = left.as_ref().map_or(Left::Nothing { logs: 1 }, Left::Cut);
        let left_open = taken.left.as_ref();
        let checked = check_partition(declared, taken.partition)
            .and_then(|()| left_open.map_or(Ok(()), |left| check_declaration(left, &declared.declaration)));
        let gathering =
            checked.and_then(|()| declared.window.gathering(env, state).map_err(|error| error.to_string()));
        let gathering = match gathering {
            Ok(gathering) => gathering,
            Err(reason) => {
                let (name, partition) = (declared.spec.name, taken.partition);
                taken.fail(Error::Window { name, partition, offset: taken.start, reason });
                taken.end();
                return None;
            }
        };
        let nothing = || Cut {
            needed: Needed { offset: taken.start, time: None, begin: taken.start },
            high: taken.start,
            splits: Vec::new(),
        };
        let cut = left.unwrap_or_else(nothing);
        let committed = Commit {
            topic: topic.clone(),
            partition: taken.partition,
            epoch: taken.epoch,
            metadata: to_metadata(&cut, &declared.declaration),
        };
        let place = (topic.clone(), taken.partition);
        let transactions = shared.transactions.clone();
        let outbox = Outbox::new(taken.core.clone(), declared.clone(), transactions, place, vec![committed]);
        Some(Worker {
            topic,
            outbox,
            gathering,
            claims: Claims::new(declared.lease()),
            clocks: Clocks::new(declared.lease()),
            decides: cut.needed.offset,
            high: cut.high,
            needed: cut.needed.offset,
            next: taken.start,
            cut_at: cut.high,
            due: Due::default(),
            draining: declared.drains.join(taken.partition, taken.epoch),
            look: Look::default(),
            trimmed: 0,
            read: (0, 0),
            ticked: None,
            last_tick: 0,
            ends: [taken.assignment.clone()].into(),
            shared,
            taken,
        })
    }

    pub(super) async fn run(mut self) {
        let assignment = self.taken.assignment.clone();
        while !assignment.is_stopping() {
            let now = clock::now();
            self.outbox.start(&mut *self.gathering).await;
            if let Err(error) = self.cut(now) {
                self.taken.fail(error);
                break;
            }
            if let Err(error) = self.drain(now) {
                self.taken.fail(error);
                break;
            }
            self.outbox.hand_over(|| self.taken.membership());
            self.tick(now);
            self.tell(now);
            self.trim();
            let wake = clock::instant(self.wake_at(now), now);
            let room = self.gathering.fired() == 0 && self.outbox.has_room();
            tokio::select! {
                biased;
                () = assignment.stopped() => {}
                turned = self.outbox.turn() => if !self.goes_on(turned) {
                    break;
                },
                () = self.draining.requested() => {}
                batch = self.taken.batches.recv(), if room => match batch {
                    Some(batch) => {
                        if let Err(error) = self.take(batch) {
                            self.taken.fail(error);
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
        let assignment = self.taken.assignment.clone();
        while self.taken.batches.try_recv().is_ok() {}
        while !assignment.is_abandoned() {
            self.outbox.start(&mut *self.gathering).await;
            if let Err(error) = self.cut_now(clock::now()) {
                return self.taken.fail(error);
            }
            self.outbox.hand_over(|| self.taken.membership());
            self.outbox.hurry();
            if self.outbox.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = assignment.abandoned() => {}
                turned = self.outbox.turn() => if !self.goes_on(turned) {
                    return;
                },
            }
        }
    }

    fn goes_on(&self, turned: Result<(), Ended>) -> bool {
        match turned {
            Ok(()) => true,
            Err(Ended::Lost) => false,
            Err(Ended::Failed(error)) => {
                self.taken.fail(error);
                false
            }
        }
    }

    fn wake_at(&self, now: i64) -> i64 {
        let mut wake = now + 10_000;
        if self.cut_at < self.next
            && let Some(due) = self.due.wake(self.outbox.has_results(), self.may_cut(), now)
        {
            wake = wake.min(due);
        }
        if let Some(tick) = self.tick_due() {
            let again = self.ticked.map_or(self.last_tick + TICKS, |ticked| ticked + TICK_LOST);
            wake = wake.min(tick.max(again).max(now + 1));
        }
        wake
    }

    fn error(&self, offset: i64, reason: String) -> Error {
        let name = self.shared.declared.spec.name;
        Error::Window { name, partition: self.taken.partition, offset, reason }
    }

    /// Everything that fired must have been started, and everything that was decided before decided again.
    fn may_cut(&self) -> bool {
        self.gathering.fired() == 0 && !self.gathering.is_replaying() && self.outbox.may_cut()
    }

    /// Cuts without waiting for the interval, if there is anything new.
    pub(super) fn cut_now(&mut self, now: i64) -> Result<(), Error> {
        self.due.hurry();
        self.cut(now)
    }

    /// Cuts, if it is time and there is anything new.
    fn cut(&mut self, now: i64) -> Result<(), Error> {
        let is_due = self.due.is_now(self.outbox.has_results(), now);
        if self.next <= self.cut_at || !is_due || !self.may_cut() {
            return Ok(());
        }
        let begin = self.claims.begin().unwrap_or(self.next);
        let limit = self.shared.transactions.metadata_limit();
        let splits = CutLimit { splits: splits_within(limit), from: self.needed };
        let Some(cut) = self.gathering.cut(self.next, begin, splits) else { return Ok(()) };
        let metadata = to_metadata(&cut, &self.shared.declared.declaration);
        check(&cut, &metadata, limit).map_err(|reason| self.error(self.next, reason))?;
        self.outbox.cut(vec![Commit {
            topic: self.topic.clone(),
            partition: self.taken.partition,
            epoch: self.taken.epoch,
            metadata,
        }]);
        (self.cut_at, self.needed) = (self.next, cut.needed.offset);
        self.due.made(now, self.taken.core.settings.commit_interval);
        Ok(())
    }

    /// When the clock closes the next window, while all sources are silent.
    fn tick_due(&self) -> Option<i64> {
        self.claims.due(self.gathering.next_close()?)
    }

    /// Writes the time into the log, if it closes a window. It does so when it is read.
    fn tick(&mut self, now: i64) {
        let Some(due) = self.tick_due() else { return };
        let waits = self.ticked.is_some_and(|ticked| now < ticked + TICK_LOST);
        if now < due || waits || now < self.last_tick + TICKS || !self.outbox.may_submit() {
            return;
        }
        let declared = self.shared.declared.clone();
        let tick = Control {
            stamp: now,
            lease: Some(declared.lease()),
            partitions: declared.partitions,
            sources: declared.sources.as_slice().into(),
            claims: Vec::new(),
            drain: false,
        };
        if self.write(&tick) {
            (self.ticked, self.last_tick) = (Some(now), now);
        }
    }

    /// Writes into the partition, with a transaction of its own; `false`: not now.
    pub(super) fn write(&mut self, control: &Control<'_>) -> bool {
        let Some(membership) = self.taken.membership().filter(|_| self.outbox.may_submit()) else {
            return false;
        };
        let mut batch = Batch::new(membership);
        batch.push(&Outgoing {
            partition: Some(self.taken.partition),
            value: Some(&control.to_bytes()),
            timestamp: Some(control.stamp),
            headers: &[(CONTROL.as_bytes(), Some(b"1"))],
            ..Outgoing::to(&self.shared.declared.log)
        });
        self.outbox.submit(batch);
        true
    }

    /// Has deleted what nobody reads any more: what is below the offset that is known to be committed.
    fn trim(&mut self) {
        let Some(&committed) = self.outbox.confirmed().offsets.first() else { return };
        if self.trimmed < committed {
            self.trimmed = committed;
            let size = self.read.1.checked_div(self.read.0).unwrap_or(0);
            self.shared.trims.committed(&self.topic, self.taken.partition, committed, size);
        }
    }

    /// Tells where the partition is.
    fn tell(&mut self, now: i64) {
        let declared = &self.shared.declared;
        let log = WindowLog {
            topic: declared.log.clone(),
            committed: self.outbox.confirmed().offsets.first().copied().unwrap_or(self.taken.start),
            next: self.next,
            decided: self.high,
            end: self.next,
        };
        let holder = self.claims.holder();
        let holder = holder.and_then(|(topic, partition, reason)| {
            let topic = *declared.spec.topics.get(usize::from(topic))?;
            Some(HeldBack { topic, partition, reason })
        });
        let at = (self.taken.partition, now);
        let partition = self.look.at(&*self.gathering, declared.spec.kind, at, holder, vec![log]);
        declared.observed.at(self.taken.epoch, partition, &self.ends);
    }
}

/// Whether a partition is one of those that the log was made with. Nobody speaks of time in others, so nothing would ever
/// close there.
fn check_partition(declared: &Declared, partition: i32) -> Result<(), String> {
    if partition < declared.partitions {
        return Ok(());
    }
    let Declared { log, partitions, .. } = declared;
    Err(format!(
        "its log `{log}` had {partitions} partitions and now has more: keys would meet elsewhere. {ANEW}"
    ))
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (declared, partition, epoch) = (&self.shared.declared, self.taken.partition, self.taken.epoch);
        fail_if_panicking(&self.taken, declared.spec.name, self.next);
        declared.drains.leave(partition, epoch);
        declared.observed.left(epoch, partition);
        self.taken.end();
    }
}
