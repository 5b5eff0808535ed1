//! The work on one partition of a window's log, for one assignment.

use std::sync::Arc;

use tokio::time::sleep_until;

use crate::{
    Error,
    broker::ffi::{self, Message, MessageError},
    consume::Taken,
    observe::Count,
    produce::{Outgoing, transactions::Batch},
    record::{Headers, HeadersRef, Record, RecordRef},
    window::{
        Place, WindowLog, clock,
        core::{Claims, Cut, Needed, Verdict},
        drain::{Draining, Step},
        log::{CONTROL, Control, Source, SourceKey},
        typed::Declared,
        unread,
    },
};

use super::{
    Shared,
    clocks::Clocks,
    emit::Emit,
    left::{check, from_metadata, to_metadata},
    look::Look,
    outbox::{Commit, Ended, Outbox},
    typed::{Arrived, Env, Gathering, Left},
};

/// The least distance of two ticks, and how long one may take to come back, in milliseconds.
const TICKS: i64 = 100;
pub(super) const TICK_LOST: i64 = 5_000;
/// How often an offset is committed that has moved by control records alone, in milliseconds.
const QUIET: i64 = 1_000;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    taken: Taken,
    topic: Arc<str>,
    pub(super) gathering: Box<dyn Gathering>,
    claims: Claims,
    clocks: Clocks,
    /// The source topics' names, as contexts have them.
    sources: Vec<Arc<str>>,
    /// The offset from which records are decided; below it only claims are restored.
    decides: i64,
    /// The offset below which nothing is said, because it was.
    high: i64,
    /// The offset of the record that comes next.
    pub(super) next: i64,
    pub(super) outbox: Outbox,
    /// Where the last cut was made, and when the next one is.
    pub(super) cut_at: i64,
    pub(super) next_cut: i64,
    pub(super) draining: Draining,
    look: Look,
    /// The offset below which the log was said to be needed no more.
    trimmed: i64,
    /// How many records were read, and their bytes.
    read: (u64, u64),
    /// The stamp of a tick that was written and not read back yet.
    ticked: Option<i64>,
    last_tick: i64,
}

impl Worker {
    /// `None` if the partition cannot be served; then the app fails.
    pub(super) fn new(shared: Arc<Shared>, mut taken: Taken) -> Option<Self> {
        let declared = &shared.declared;
        let left = taken.left.as_ref().and_then(from_metadata);
        let topic: Arc<str> = declared.log.as_str().into();
        let env = Env {
            core: taken.core.clone(),
            declared: declared.clone(),
            topic: topic.clone(),
            partition: taken.partition,
        };
        let state = left.as_ref().map_or(Left::Nothing { logs: 1 }, Left::Cut);
        let gathering = match declared.window.gathering(env, state) {
            Ok(gathering) => gathering,
            Err(error) => {
                let (name, partition) = (declared.spec.name, taken.partition);
                let reason = error.to_string();
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
            metadata: to_metadata(&cut),
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
            sources: declared.spec.topics.iter().map(|&topic| topic.into()).collect(),
            decides: cut.needed.offset,
            high: cut.high,
            next: taken.start,
            cut_at: cut.high,
            next_cut: 0,
            draining: declared.drains.join(taken.partition, taken.epoch),
            look: Look::default(),
            trimmed: 0,
            read: (0, 0),
            ticked: None,
            last_tick: 0,
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
            self.next_cut = i64::MIN / 2;
            if let Err(error) = self.cut(clock::now()) {
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
        if self.cut_at < self.next {
            wake = wake.min(self.cut_due().max(now + 1));
        }
        if let Some(tick) = self.tick_due() {
            let again = self.ticked.map_or(self.last_tick + TICKS, |ticked| ticked + TICK_LOST);
            wake = wake.min(tick.max(again).max(now + 1));
        }
        wake
    }

    fn take(&mut self, mut batch: ffi::Batch) -> Result<(), Error> {
        let count = batch.len();
        let mut bytes = 0;
        let mut result = Ok(());
        // Once a batch: all partitions count on it, from all threads.
        let declared = self.shared.declared.clone();
        while let (Ok(()), Some(taken)) = (
            &result,
            batch.next(|message| {
                bytes += message.byte_size();
                self.message(&declared, message)
            }),
        ) {
            result = taken;
        }
        drop(batch);
        self.gathering.reached(0, self.next);
        self.read = (self.read.0 + count as u64, self.read.1 + bytes as u64);
        self.taken.took(count, bytes);
        result.and_then(|()| self.check_bounds())
    }

    fn message(&mut self, declared: &Declared, message: &Message) -> Result<(), Error> {
        match message.error() {
            // Behind markers of transactions, which no record tells of.
            Some(MessageError::EndOfPartition) => {
                self.next = self.next.max(message.offset());
                return Ok(());
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let headers = message.headers();
        let record = RecordRef {
            topic: &declared.log,
            partition: self.taken.partition,
            offset: message.offset(),
            timestamp: message.timestamp_millis(),
            key: message.key(),
            value: message.value(),
            headers: if headers.is_empty() { HeadersRef::Empty } else { HeadersRef::Native(headers) },
        };
        self.next = record.offset + 1;
        let first = record.headers.iter().next().map(|(name, _)| name);
        if first == Some(CONTROL.as_bytes()) {
            self.control(declared, &record)
        } else {
            self.record(declared, &record)
        }
    }

    fn control(&mut self, declared: &Declared, record: &RecordRef<'_>) -> Result<(), Error> {
        let offset = record.offset;
        let control = Control::read(record.value.unwrap_or_default()).map_err(|error| {
            self.error(offset, format!("the log has a control record that cannot be read: {error}"))
        })?;
        if control.partitions != declared.partitions {
            let reason = format!(
                "the topic `{}` had {} partitions and now has {}: keys would meet elsewhere. {ANEW}",
                declared.log, control.partitions, declared.partitions
            );
            return Err(self.error(offset, reason));
        }
        let numbered = control
            .numbered(declared.spec.topics)
            .map_err(|error| self.error(offset, format!("{error}. {ANEW}")))?;
        if numbered.claims.is_empty() && self.ticked.is_some_and(|ticked| ticked <= numbered.stamp) {
            self.ticked = None;
        }
        self.compare_clocks(offset, numbered.stamp);
        let time = self
            .claims
            .read(offset, &numbered)
            .map_err(|error| self.error(offset, format!("{error}. {ANEW}")))?;
        if offset < self.decides {
            return Ok(());
        }
        if control.drain {
            self.gathering.drain(Some(offset));
            if self.draining.is_written() {
                self.draining.reach(Step::Fired);
            }
        } else if let Some(time) = time {
            self.gathering.advance(Some(offset), time);
        }
        Ok(())
    }

    /// Below `high` it was told of already.
    fn compare_clocks(&mut self, offset: i64, stamp: i64) {
        if offset < self.high {
            return;
        }
        let Some(apart) = self.clocks.see(self.claims.newest_stamp(), stamp, clock::now()) else { return };
        self.taken.core.counters.one(Count::ClocksApart);
        if apart.warn {
            tracing::warn!(
                window = self.shared.declared.spec.name,
                topic = &*self.topic,
                partition = self.taken.partition,
                offset,
                behind_millis = apart.behind,
                "the clocks of this window's members are more than a third of `idle` apart, or transactions take that \
                 long: partitions may hold time back although they are idle"
            );
        }
    }

    fn record(&mut self, declared: &Declared, record: &RecordRef<'_>) -> Result<(), Error> {
        if record.offset < self.decides {
            return Ok(());
        }
        let offset = record.offset;
        let Some(source) = Source::of(record.headers) else {
            let reason = "a record of somebody else's: nobody but us writes into the log".to_owned();
            return Err(self.error(offset, reason));
        };
        let Some(topic) = declared.spec.topics.iter().position(|topic| *topic == source.topic) else {
            let reason = format!(
                "the log has records of the topic `{}`, which the window does not gather any more. {ANEW}",
                source.topic
            );
            return Err(self.error(offset, reason));
        };
        let place = Place {
            time: source.time,
            topic: u16::try_from(topic).unwrap_or(u16::MAX),
            partition: source.partition,
            offset: source.offset,
        };
        let begin = self.claims.begin().unwrap_or(offset);
        let verdict = unread(record.value, record.headers).and_then(|value| {
            self.gathering.record(Arrived {
                log: 0,
                time: None,
                offset,
                begin,
                key: record.key.unwrap_or_default(),
                value,
                place,
                source: &self.sources[topic],
                size: record.byte_size(),
            })
        });
        for late in self.gathering.late() {
            declared.observed.late(topic, late.reason, late.lateness);
        }
        match verdict {
            Ok(Verdict::Late(reason)) if declared.spec.late.is_some() => {
                self.outbox.push(Emit::Late { record: original(record, &source), reason });
            }
            Ok(_) => {}
            // It was told of already.
            Err(_) if offset < self.high => {}
            Err(failure) => {
                self.taken.core.counters.one(Count::Undecodable);
                self.taken.core.counters.one(Count::DeadLetters);
                self.outbox.push(Emit::Unreadable { record: original(record, &source), failure });
            }
        }
        Ok(())
    }

    fn error(&self, offset: i64, reason: String) -> Error {
        let name = self.shared.declared.spec.name;
        Error::Window { name, partition: self.taken.partition, offset, reason }
    }

    fn check_bounds(&self) -> Result<(), Error> {
        let (keys, bytes) = (self.gathering.open_keys() as u64, self.gathering.open_bytes());
        match self.shared.declared.spec.max_open.exceeded(keys, bytes) {
            Some(reason) => Err(self.error(self.next, reason)),
            None => Ok(()),
        }
    }

    /// When the next cut is made: results cannot wait, an offset that only moved can.
    fn cut_due(&self) -> i64 {
        if self.outbox.has_results() { self.next_cut } else { self.next_cut + QUIET }
    }

    /// Cuts, if it is time and there is anything new. Everything that fired up to here must have been started.
    pub(super) fn cut(&mut self, now: i64) -> Result<(), Error> {
        if self.next <= self.cut_at || self.gathering.fired() > 0 || now < self.cut_due() {
            return Ok(());
        }
        let begin = self.claims.begin().unwrap_or(self.next);
        // Not while it still reads again what was decided before.
        let Some(cut) = self.gathering.cut(self.next, begin) else { return Ok(()) };
        let metadata = to_metadata(&cut);
        let limit = self.shared.transactions.metadata_limit();
        check(&cut, &metadata, limit).map_err(|reason| self.error(self.next, reason))?;
        self.outbox.cut(vec![Commit {
            topic: self.topic.clone(),
            partition: self.taken.partition,
            epoch: self.taken.epoch,
            metadata,
        }]);
        self.cut_at = self.next;
        let interval = i64::try_from(self.taken.core.settings.commit_interval.as_millis()).unwrap_or(0);
        self.next_cut = now + interval;
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
            end: self.taken.assignment.known_end().max(self.next),
        };
        let holder = self.claims.holder();
        let holder =
            holder.and_then(|(topic, number)| Some((*declared.spec.topics.get(usize::from(topic))?, number)));
        let at = (self.taken.partition, now);
        let partition = self.look.at(&*self.gathering, declared.spec.kind, at, holder, vec![log]);
        declared.observed.at(self.taken.epoch, partition);
    }
}

/// What to do about a log that another declaration wrote.
const ANEW: &str = "Give the window another `name` to begin anew";

impl Drop for Worker {
    fn drop(&mut self) {
        let (declared, partition, epoch) = (&self.shared.declared, self.taken.partition, self.taken.epoch);
        declared.drains.leave(partition, epoch);
        declared.observed.left(epoch, partition);
        self.taken.end();
    }
}

/// A record of the log as it was in its source.
fn original(record: &RecordRef<'_>, source: &Source<'_>) -> Record {
    let mut headers = Headers::new();
    // The first one is ours.
    for (name, value) in record.headers.iter().skip(1) {
        let name = String::from_utf8_lossy(name).into_owned();
        match value {
            Some(value) => headers.push(name, value),
            None => headers.push_null(name),
        }
    }
    Record {
        topic: source.topic.to_owned(),
        partition: source.partition,
        offset: source.offset,
        timestamp: source.timestamp,
        key: match source.key {
            SourceKey::Same => record.key.map(<[u8]>::to_vec),
            SourceKey::None => None,
            SourceKey::Other(key) => Some(key.to_vec()),
        },
        value: record.value.map(<[u8]>::to_vec),
        headers,
    }
}
