//! What becomes of a source's records.

use crate::{
    broker::ffi::{self, Message, MessageError},
    consume::pairs,
    produce::{Outgoing, Sizes, transactions::Batch},
    record::{HeadersRef, RecordRef, wire::dead_letter_topic},
    window::{
        core::{Intake, Skip},
        letter::Letter,
        log::{SOURCE, Source, SourceKey},
        observed::Skipped,
        unread,
    },
};

use super::super::{Shared, Target};

use super::{MOST_BYTES, MOST_RECORDS, Worker, open, together};

impl Worker {
    pub(super) fn take(&mut self, mut batch: ffi::Batch, now: i64) {
        // Once a batch: all partitions count on it, from all threads.
        let shared = self.shared.clone();
        if let Some(mut beside) = self.beside.take() {
            batch.iter().for_each(|message| self.message(&shared, message, now));
            beside.give(batch);
            self.beside = Some(beside);
        } else {
            let count = batch.len();
            let mut bytes = 0;
            while batch
                .next(|message| {
                    bytes += message.byte_size();
                    self.message(&shared, message, now);
                })
                .is_some()
            {}
            drop(batch);
            self.taken.took(count, bytes);
        }
        let full = |batch: &Batch| batch.len() >= MOST_RECORDS || batch.bytes() >= MOST_BYTES;
        if self.batch.as_ref().is_some_and(full) {
            self.due = Some(now);
        } else if self.due.is_none() {
            self.due = Some(together(now, self.interval()));
        }
    }

    fn message(&mut self, shared: &Shared, message: &Message, now: i64) {
        match message.error() {
            Some(MessageError::EndOfPartition) => return self.silence.end(message.offset()),
            Some(_) => return,
            None => {}
        }
        let headers = message.headers();
        let record = RecordRef {
            topic: &shared.topic,
            partition: self.taken.partition,
            offset: message.offset(),
            timestamp: message.timestamp_millis(),
            key: message.key(),
            value: message.value(),
            headers: if headers.is_empty() { HeadersRef::Empty } else { HeadersRef::Native(headers) },
        };
        self.silence.record(record.offset);
        if record.offset < self.handed_over {
            return;
        }
        for (index, target) in shared.targets.iter().enumerate() {
            self.sort(index, target, &record, now);
        }
        if !self.skipped.is_empty() {
            self.keep_skipped(shared, &record);
        }
    }

    /// Sends a record to where the records of its key meet, or skips it.
    fn sort(&mut self, index: usize, target: &Target, record: &RecordRef<'_>, now: i64) {
        let window = &target.window;
        let sorted = unread(record.value, record.headers)
            .and_then(|value| window.window.sort(target.topic, value, record.timestamp));
        let (key, time) = match sorted {
            Ok(sorted) => match (sorted.key, sorted.time) {
                (Some(key), Some(time)) => (key, time),
                (None, _) => return self.skip(target, Skipped::NoKey, ""),
                (_, None) => return self.skip(target, Skipped::NoTime, ""),
            },
            Err(failure) => return self.skip(target, Skipped::Undecodable, failure.message()),
        };
        let source = Source {
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            time,
            key: SourceKey::new(record.key, &key),
        };
        self.source.clear();
        source.write(&mut self.source);
        self.headers.clear();
        self.headers.push(SOURCE, &self.source);
        self.headers.copy(record.headers);
        // Before it moves time: what is not gathered does not.
        let length = key.len() + record.value.map_or(0, <[u8]>::len);
        let sizes = Sizes::of(&self.taken.core.settings);
        if let Err(error) = sizes.check(&window.log, length, self.headers.byte_size()) {
            return self.skip(target, Skipped::TooLarge, &error.to_string());
        }
        match self.heard[index].take(time, now, target.max_future()) {
            Intake::Ahead => window.observed.skip(target.topic, Skipped::Ahead),
            Intake::Skipped(Skip::TooFar) => {
                let message = format!("its time, {time}, is too far ahead of the clock, {now}");
                return self.skip(target, Skipped::TooFar, &message);
            }
            Intake::Skipped(Skip::Negative) => return self.skip(target, Skipped::NoTime, ""),
            Intake::Taken | Intake::Again => {}
        }
        let Some(batch) = open(&mut self.batch, &self.taken) else { return };
        batch.push(&Outgoing {
            topic: &window.log,
            partition: None,
            key: Some(&key),
            value: record.value,
            timestamp: Some(time.min(now)),
            headers: &pairs(&self.headers),
        });
    }

    /// Counts a record that a window does not see, and has it kept if somebody may want to look at it.
    fn skip(&mut self, target: &Target, reason: Skipped, message: &str) {
        target.window.observed.skip(target.topic, reason);
        if !reason.is_kept(&self.taken.core.settings) {
            return;
        }
        let window = target.window.spec.name;
        match self.skipped.iter_mut().find(|kept| kept.reason == reason) {
            Some(kept) => kept.windows.push(window),
            None => self.skipped.push(Kept { reason, message: message.to_owned(), windows: vec![window] }),
        }
    }

    /// Keeps a record that windows have skipped: once for each reason, however many they are. What is wrong with it is
    /// mostly the topic's matter, and one who counts or repeats dead letters expects each record once.
    fn keep_skipped(&mut self, shared: &Shared, record: &RecordRef<'_>) {
        for Kept { reason, message, windows } in std::mem::take(&mut self.skipped) {
            let message = match (&*shared.targets, &*message) {
                ([_], _) => message,
                (_, "") => format!("skipped by `{}`", windows.join("`, `")),
                _ => format!("skipped by `{}`: {message}", windows.join("`, `")),
            };
            let Some(batch) = open(&mut self.batch, &self.taken) else { return };
            let letter = Letter {
                record: *record,
                to: &dead_letter_topic(record.topic),
                group: &self.taken.core.app,
                code: reason.as_str(),
                message: &message,
                more: None,
            };
            letter.push(Sizes::of(&self.taken.core.settings), &mut self.headers, batch);
        }
    }
}

/// Why a record is kept that windows have skipped.
pub(super) struct Kept {
    reason: Skipped,
    /// In the words of the first.
    message: String,
    windows: Vec<&'static str>,
}
