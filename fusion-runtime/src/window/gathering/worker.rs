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
        Place, clock,
        core::{Claims, Cut, Needed, Verdict},
        log::{CONTROL, Control, Source, SourceKey},
        unread,
    },
};

use super::{
    Shared,
    emit::Emit,
    left::{from_metadata, to_metadata},
    outbox::{Commit, Ended, Outbox},
    typed::{Arrived, Env, Gathering, Left},
};

/// The least distance of two ticks, and how long one may take to come back, in milliseconds.
const TICKS: i64 = 100;
const TICK_LOST: i64 = 5_000;
/// How often an offset is committed that has moved by control records alone, in milliseconds.
const QUIET: i64 = 1_000;

pub(super) struct Worker {
    shared: Arc<Shared>,
    taken: Taken,
    topic: Arc<str>,
    gathering: Box<dyn Gathering>,
    claims: Claims,
    /// The source topics' names, as contexts have them.
    sources: Vec<Arc<str>>,
    /// The offset from which records are decided; below it only claims are restored.
    decides: i64,
    /// The offset below which nothing is said, because it was.
    high: i64,
    /// The offset of the record that comes next.
    next: i64,
    outbox: Outbox,
    /// Where the last cut was made, and when the next one is.
    cut_at: i64,
    next_cut: i64,
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
            sources: declared.spec.topics.iter().map(|&topic| topic.into()).collect(),
            decides: cut.needed.offset,
            high: cut.high,
            next: taken.start,
            cut_at: cut.high,
            next_cut: 0,
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
            self.cut(now);
            self.outbox.hand_over(|| self.taken.membership());
            self.tick(now);
            let wake = clock::instant(self.wake_at(now), now);
            let room = self.gathering.fired() == 0 && self.outbox.has_room();
            tokio::select! {
                biased;
                () = assignment.stopped() => {}
                turned = self.outbox.turn() => if !self.goes_on(turned) {
                    break;
                },
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
            self.cut(clock::now());
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
        while let (Ok(()), Some(taken)) = (
            &result,
            batch.next(|message| {
                bytes += message.byte_size();
                self.message(message)
            }),
        ) {
            result = taken;
        }
        drop(batch);
        self.gathering.reached(0, self.next);
        self.taken.took(count, bytes);
        result.and_then(|()| self.check_bounds())
    }

    fn message(&mut self, message: &Message) -> Result<(), Error> {
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
        let shared = self.shared.clone();
        let record = RecordRef {
            topic: &shared.declared.log,
            partition: self.taken.partition,
            offset: message.offset(),
            timestamp: message.timestamp_millis(),
            key: message.key(),
            value: message.value(),
            headers: if headers.is_empty() { HeadersRef::Empty } else { HeadersRef::Native(headers) },
        };
        self.next = record.offset + 1;
        let first = record.headers.iter().next().map(|(name, _)| name);
        if first == Some(CONTROL.as_bytes()) { self.control(&record) } else { self.record(&record) }
    }

    fn control(&mut self, record: &RecordRef<'_>) -> Result<(), Error> {
        let declared = self.shared.declared.clone();
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
        let time = self
            .claims
            .read(offset, &numbered)
            .map_err(|error| self.error(offset, format!("{error}. {ANEW}")))?;
        if offset < self.decides {
            return Ok(());
        }
        if control.drain {
            self.gathering.drain(Some(offset));
        } else if let Some(time) = time {
            self.gathering.advance(Some(offset), time);
        }
        Ok(())
    }

    fn record(&mut self, record: &RecordRef<'_>) -> Result<(), Error> {
        if record.offset < self.decides {
            return Ok(());
        }
        let declared = self.shared.declared.clone();
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
    fn cut(&mut self, now: i64) {
        if self.next <= self.cut_at || self.gathering.fired() > 0 {
            return;
        }
        if now < self.cut_due() {
            return;
        }
        let begin = self.claims.begin().unwrap_or(self.next);
        // Not while it still reads again what was decided before.
        let Some(cut) = self.gathering.cut(self.next, begin) else { return };
        self.outbox.cut(vec![Commit {
            topic: self.topic.clone(),
            partition: self.taken.partition,
            epoch: self.taken.epoch,
            metadata: to_metadata(&cut),
        }]);
        self.cut_at = self.next;
        let interval = i64::try_from(self.taken.core.settings.commit_interval.as_millis()).unwrap_or(0);
        self.next_cut = now + interval;
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
        let Some(membership) = self.taken.membership() else { return };
        let declared = self.shared.declared.clone();
        let tick = Control {
            stamp: now,
            partitions: declared.partitions,
            sources: declared.sources.as_slice().into(),
            claims: Vec::new(),
            drain: false,
        };
        let mut batch = Batch::new(membership);
        batch.push(&Outgoing {
            partition: Some(self.taken.partition),
            value: Some(&tick.to_bytes()),
            timestamp: Some(now),
            headers: &[(CONTROL.as_bytes(), Some(b"1"))],
            ..Outgoing::to(&declared.log)
        });
        (self.ticked, self.last_tick) = (Some(now), now);
        self.outbox.submit(batch);
    }
}

/// What to do about a log that another declaration wrote.
const ANEW: &str = "Give the window another `name` to begin anew";

impl Drop for Worker {
    fn drop(&mut self) {
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
