//! What becomes of one record.

use std::task::Context;

use crate::{
    broker::ffi::Message,
    dag::Caller,
    failure::{Code, Failure},
    observe::Count,
    reactor::Run,
    record::{HeadersRef, RecordRef},
};

use super::{
    super::{
        acknowledge::{self, Outcome},
        admit::{Admission, Asked, Now, admit},
        lanes::{Lane, Order},
        run::{First, Parked, deadline, encode},
        runner::{Input, Ran, Started},
    },
    Worker,
};

impl Worker {
    pub(super) fn admit(&mut self, message: &Message, now: Now, cx: &mut Context<'_>) {
        if message.error().is_some() {
            // The end of the partition, which somebody beside it wants to see.
            self.finished += 1;
            return;
        }
        let offset = message.offset();
        self.taken_bytes += message.byte_size();
        if !self.progress.seen(offset) {
            self.core.counters.one(Count::Redelivered);
            self.finished += 1;
            return;
        }
        let served = self.served.clone();
        let headers = message.headers();
        let record = RecordRef {
            topic: served.spec.topic,
            partition: self.partition,
            offset,
            timestamp: message.timestamp_millis(),
            key: message.key(),
            value: message.value(),
            headers: if headers.is_empty() { HeadersRef::Empty } else { HeadersRef::Native(headers) },
        };
        // As long as every record ends at once, no lane is ever computed.
        if !self.lanes.is_idle() {
            let lane = self.lanes.lane_of(served.spec.order, record.key, offset);
            if !self.lanes.is_free(lane) || self.lanes.waiting() > 0 && served.spec.order != Order::Key {
                self.wait(lane, &record);
                return;
            }
        }
        if !self.permits.poll(cx) {
            let lane = self.lanes.lane_of(served.spec.order, record.key, offset);
            self.wait(lane, &record);
            return;
        }
        let (asked, input, admission) = admit(&self.core, &served, &record, now);
        self.run(&record, asked, input, admission, now, None, cx);
    }

    fn wait(&mut self, lane: Lane, record: &RecordRef<'_>) {
        self.lanes.wait(lane, record.to_owned(), record.byte_size());
    }

    /// Runs an admitted record. `true`: it goes on, and keeps its lane.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of it is what one record brings along, on the hot path"
    )]
    pub(super) fn run(
        &mut self,
        record: &RecordRef<'_>,
        asked: Asked,
        input: Input<'_>,
        admission: Admission,
        now: Now,
        lane: Option<Lane>,
        cx: &mut Context<'_>,
    ) -> bool {
        match admission {
            Admission::Run => {}
            Admission::Refuse(failure) => {
                self.end(*record, &asked, Err(failure));
                return false;
            }
            Admission::Drop => {
                self.finish(record.offset);
                return false;
            }
        }
        let until = deadline(&self.served, &asked, now.instant);
        let caller = self.caller(&asked, until);
        let encode = encode(&self.core, &self.served, &asked, self.listened);
        let run = Run {
            record: *record,
            reactor: self.served.spec.name,
            attempt: 1,
            hops: asked.hops,
            deadline: until,
            state: &self.core.state,
            caller: caller.as_ref(),
            window: None,
        };
        self.assignment.runs(record.offset);
        // What its graph asks first leaves together.
        let hold = caller.as_ref().map(Caller::hold);
        let started = self.runner.start(&run, input, encode, cx);
        drop(hold);
        let first = match started {
            Started::Done(Err(failure)) if failure.is_retryable() && self.served.spec.retry > 0 => {
                First::Failed(failure)
            }
            Started::Done(ran) => {
                self.end(*record, &asked, ran);
                return false;
            }
            Started::Pending(running) => First::Pending(running),
        };
        let Some(permit) = self.permits.take() else {
            // It was polled before, and said that there is one.
            self.end(*record, &asked, Err(Failure::new(Code::Handler, "a run without a permit")));
            return false;
        };
        let order = self.served.spec.order;
        let lane = lane.unwrap_or_else(|| {
            let lane = self.lanes.lane_of(order, record.key, record.offset);
            self.lanes.occupy(lane);
            lane
        });
        let parked = Parked {
            core: self.core.clone(),
            served: self.served.clone(),
            record: record.to_owned(),
            asked,
            caller,
            started: now.instant,
            assignment: self.assignment.clone(),
            lane,
            permit,
        };
        self.running.push(Box::pin(parked.finish(first)));
        true
    }

    fn caller(&self, asked: &Asked, until: tokio::time::Instant) -> Option<Caller> {
        let route = self.core.route.as_ref().filter(|_| self.served.reactor.calls())?;
        Some(
            Caller::new(route.clone(), until, asked.hops)
                .with_back_off(self.core.back_off)
                .traced(asked.traceparent.clone()),
        )
    }

    /// Acknowledges the outcome of a run.
    pub(super) fn end(&mut self, record: RecordRef<'_>, asked: &Asked, ran: Ran) {
        if self.assignment.is_abandoned() {
            // Somebody else has the partition by now, and answers for this record.
            self.core.counters.one(Count::Fenced);
            return;
        }
        match &ran {
            Ok(_) => self.succeeded += 1,
            Err(failure) => match failure.code() {
                Code::Decode => self.core.counters.one(Count::Undecodable),
                Code::Panic => self.core.counters.one(Count::Panics),
                _ => {}
            },
        }
        match acknowledge::acknowledge(&self.core, &self.served, &record, asked, ran, self.listened) {
            Outcome::Done => self.finish(record.offset),
            Outcome::Reply(answer) => {
                if self.answers.push(answer) {
                    self.send_answers();
                }
            }
            Outcome::Pending(acknowledging) => self.acknowledging.push(acknowledging),
        }
    }
}
