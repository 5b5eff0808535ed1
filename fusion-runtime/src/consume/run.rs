//! A run that did not end at once: deadline, retries with back-off, until there is an outcome.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    contract::Envelope,
    dag::Caller,
    failure::{Code, Failure},
    observe::Count,
    reactor::Run,
    record::{Record, codec::Format, wire},
};

use super::{
    admit::Asked,
    lanes::Lane,
    runner::{Input, Ran, Running, Started},
    shared::{Assignment, Core, Served},
};

/// Where a run stands when it is parked.
pub(super) enum First {
    Pending(Running),
    Failed(Failure),
}

/// A record whose run goes on beside others.
pub(super) struct Parked {
    pub(super) core: Arc<Core>,
    pub(super) served: Arc<Served>,
    pub(super) record: Record,
    pub(super) asked: Asked,
    pub(super) caller: Option<Caller>,
    /// When the first attempt began.
    pub(super) started: Instant,
    pub(super) assignment: Arc<Assignment>,
    pub(super) lane: Lane,
    pub(super) permit: OwnedSemaphorePermit,
}

/// A record whose run has ended.
pub(super) struct Finished {
    pub(super) record: Record,
    pub(super) asked: Asked,
    pub(super) lane: Lane,
    pub(super) ran: Ran,
}

/// When a run that starts now must be over: the caller's deadline, and `within` from the start of each run.
pub(super) fn deadline(served: &Served, asked: &Asked, start: Instant) -> Instant {
    let own = start + served.spec.within;
    asked.deadline.map_or(own, |callers| callers.min(own))
}

/// The offset's bits, to spread back-offs: no need for a generator of random numbers here.
fn spread(offset: i64, attempt: u32) -> f64 {
    let mixed = (offset as u64 ^ u64::from(attempt) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

impl Parked {
    /// Sees the run through.
    pub(super) async fn finish(self, first: First) -> Finished {
        let ran = {
            let mut attempts = pin!(self.attempts(first));
            poll_fn(|cx| {
                self.assignment.runs(self.record.offset);
                attempts.as_mut().poll(cx)
            })
            .await
        };
        drop(self.permit);
        Finished { record: self.record, asked: self.asked, lane: self.lane, ran }
    }

    async fn attempts(&self, first: First) -> Ran {
        let counters = &self.core.counters;
        let mut attempt = 1;
        let mut until = deadline(&self.served, &self.asked, self.started);
        let mut ran = match first {
            First::Pending(running) => self.wait(running, self.caller.as_ref(), until).await,
            First::Failed(failure) => Err(failure),
        };
        loop {
            let failure = match ran {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if !failure.is_retryable() || attempt > self.served.spec.retry {
                return Err(failure);
            }
            let pause = self.core.back_off.delay(attempt, spread(self.record.offset, attempt));
            let next = Instant::now() + pause;
            if self.asked.deadline.is_some_and(|deadline| deadline <= next) {
                // The caller will not wait that long: what failed is the answer.
                return Err(failure);
            }
            if *failure.code() == Code::Panic {
                // The last one is counted where the run ends.
                counters.one(Count::Panics);
            }
            sleep_until(next).await;
            counters.one(Count::Retries);
            attempt += 1;
            until = deadline(&self.served, &self.asked, next);
            ran = self.again(attempt, until).await;
        }
    }

    async fn wait(&self, running: Running, caller: Option<&Caller>, until: Instant) -> Ran {
        let ran = match caller {
            Some(caller) => timeout_at(until, caller.together(running)).await,
            None => timeout_at(until, running).await,
        };
        match ran {
            Ok(ran) => ran,
            Err(_) => {
                self.core.counters.one(Count::TimedOut);
                let callers = self.asked.deadline.is_some_and(|deadline| deadline <= until);
                let (code, what) = if callers {
                    (Code::Deadline, "the caller's deadline".to_owned())
                } else {
                    (Code::Timeout, format!("`within` of {:?}", self.served.spec.within))
                };
                Err(Failure::new(code, format!("the handler did not end before {what}")))
            }
        }
    }

    /// Decodes the record again and runs it again. What the graph was answered is not asked again.
    async fn again(&self, attempt: u32, until: Instant) -> Ran {
        let caller = self.caller.as_ref().map(|caller| caller.until(until));
        let mut runner = self.served.reactor.runner();
        let started = poll_fn(|cx| {
            let record = self.record.as_ref();
            let run = Run {
                record,
                reactor: self.served.spec.name,
                attempt,
                hops: self.asked.hops,
                deadline: until,
                state: &self.core.state,
                caller: caller.as_ref(),
                window: None,
            };
            let value = payload(&self.served, record.value);
            let input = Input { value, format: self.asked.format };
            let _hold = caller.as_ref().map(Caller::hold);
            Poll::Ready(runner.start(&run, input, self.encode(), cx))
        })
        .await;
        match started {
            Started::Done(ran) => ran,
            Started::Pending(running) => self.wait(running, caller.as_ref(), until).await,
        }
    }

    fn encode(&self) -> Option<Format> {
        let listened = self.served.results.receiver_count() > 0;
        encode(&self.core, &self.served, &self.asked, listened)
    }
}

/// The value's payload: what is inside the envelope, where there is one.
pub(super) fn payload<'a>(served: &Served, value: Option<&'a [u8]>) -> Option<&'a [u8]> {
    match served.spec.envelope {
        Envelope::Headers => value,
        // It was opened once already, so it opens again.
        Envelope::Json => wire::Envelope::read(value?).ok().map(|envelope| envelope.data),
    }
}

/// The format in which a run's value is wanted, `None` if nobody wants it.
pub(super) fn encode(core: &Core, served: &Served, asked: &Asked, listened: bool) -> Option<Format> {
    let wanted = asked.reply.is_some() || served.spec.to.is_some() || listened;
    wanted.then(|| asked.written(core))
}
