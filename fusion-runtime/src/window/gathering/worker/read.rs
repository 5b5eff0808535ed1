//! Reading the log: what each of its records does.

use crate::{
    Error,
    broker::ffi::{self, Message, MessageError},
    observe::Count,
    record::{Headers, HeadersRef, Record, RecordRef},
    window::{
        ANEW, Place, clock,
        core::Verdict,
        log::{CONTROL, Control, Source, SourceKey},
        typed::Declared,
        unread,
    },
};

use super::super::{emit::Emit, typed::Arrived};

use super::Worker;

impl Worker {
    pub(super) fn take(&mut self, mut batch: ffi::Batch) -> Result<(), Error> {
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
            self.draining.read(control.stamp);
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
                size: record.byte_size(),
            })
        });
        self.gathering.late(&mut |late| declared.observed.late(topic, late.reason, late.lateness));
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

    fn check_bounds(&self) -> Result<(), Error> {
        let (keys, bytes) = (self.gathering.open_keys() as u64, self.gathering.open_bytes());
        match self.shared.declared.spec.max_open.exceeded(keys, bytes) {
            Some(reason) => Err(self.error(self.next, reason)),
            None => Ok(()),
        }
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
