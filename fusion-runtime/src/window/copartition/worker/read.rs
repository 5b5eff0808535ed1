//! Reading the sources: what each of their records does.

use crate::{
    Error,
    broker::ffi::{self, MessageError},
    window::{
        clock,
        core::{Intake, Skip, Verdict},
        gathering::{Direct, Emit, Judged, Sorted},
        observed::Skipped,
        typed::Declared,
        unread,
    },
};

use super::Worker;

impl Worker {
    /// Goes on with what had to wait.
    pub(super) fn release(&mut self, now: i64) -> Result<(), Error> {
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

    pub(super) fn take(&mut self, log: usize, batch: ffi::Batch) -> Result<(), Error> {
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
            match sources.take_at(log, offset, time, now) {
                Intake::Taken => {}
                Intake::Ahead => observed.skip(log, Skipped::Ahead),
                Intake::Again => return Judged::Gathered(None),
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
                    size: record.byte_size(),
                },
                &mut judge,
            )
        });
        if elsewhere {
            return Err(self.elsewhere(log, offset));
        }
        self.gathering.late(&mut |late| declared.observed.late(log, late.reason, late.lateness));
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
                 partitioned by it, or each in another way, or have got more partitions since. Remove `copartitioned`",
                self.inputs[log].topic
            ),
        )
    }

    pub(super) fn check_bounds(&self) -> Result<(), Error> {
        let (keys, bytes) = (self.gathering.open_keys() as u64, self.gathering.open_bytes());
        match self.shared.declared.spec.max_open.exceeded(keys, bytes) {
            Some(reason) => Err(self.error(self.inputs[0].silence.next(), reason)),
            None => Ok(()),
        }
    }
}
