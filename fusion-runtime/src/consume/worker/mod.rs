//! The worker of one partition: a task that runs its records, for one assignment.
//!
//! It takes batches from the owner thread. A record is polled where it lies, in the batch; only what does not end
//! at once is copied and parked. So a handler that awaits nothing costs no allocation, no task and no switch of
//! threads, and no message outlives its batch, which would hold a whole fetch buffer.

mod record;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use crate::{broker::ffi::Batch, observe::Count, record::Record};

use super::{
    acknowledge::Acknowledged,
    admit::{Now, admit},
    answers::Answers,
    beside::Tell,
    lanes::Lanes,
    permits::Permits,
    progress::Progress,
    run::Finished,
    runner::Runner,
    settlements::Settlements,
    shared::{Assignment, Core, Served, Working},
};

/// After so many records the worker lets other tasks of its thread run.
const SLICE: usize = 256;

type Parking = Pin<Box<dyn Future<Output = Finished> + Send>>;
type Acknowledging = Pin<Box<dyn Future<Output = Acknowledged> + Send>>;

/// Runs the records of one partition until it is told to stop.
pub(super) struct Worker {
    core: Arc<Core>,
    served: Arc<Served>,
    partition: i32,
    assignment: Arc<Assignment>,
    batches: mpsc::UnboundedReceiver<Batch>,
    /// What is left of the batch in work.
    batch: Batch,
    runner: Box<dyn Runner>,
    progress: Progress,
    /// Who commits in place of the owner, and whether it does not know all of the progress.
    tell: Option<Tell>,
    untold: bool,
    /// Messages finished in all.
    all_finished: u64,
    lanes: Lanes<Record>,
    running: FuturesUnordered<Parking>,
    acknowledging: FuturesUnordered<Acknowledging>,
    settlements: Arc<Settlements>,
    answers: Answers,
    /// For records that do not end at once.
    permits: Permits,
    /// Records finished, and runs that ended well, since the last report.
    finished: usize,
    succeeded: u64,
    /// Bytes that were come to since the last report.
    taken_bytes: usize,
    /// Whether anybody listens to `results`; asking costs a lock, so it is not asked for each record.
    listened: bool,
    /// It goes when everything was told.
    working: Option<Working>,
}

impl Worker {
    pub(super) fn new(
        core: Arc<Core>,
        served: Arc<Served>,
        partition: i32,
        progress: Progress,
        assignment: Arc<Assignment>,
        working: Option<Working>,
        batches: mpsc::UnboundedReceiver<Batch>,
    ) -> Self {
        let (runner, permits) = (served.reactor.runner(), Permits::of(served.permits.clone()));
        Worker {
            core,
            served,
            partition,
            assignment,
            batches,
            batch: Batch::default(),
            runner,
            progress,
            tell: None,
            untold: false,
            all_finished: 0,
            lanes: Lanes::new(),
            running: FuturesUnordered::new(),
            acknowledging: FuturesUnordered::new(),
            settlements: Arc::default(),
            answers: Answers::new(),
            permits,
            finished: 0,
            succeeded: 0,
            taken_bytes: 0,
            listened: false,
            working,
        }
    }

    /// The same, for one whose progress somebody else commits.
    pub(super) fn telling(mut self, tell: Tell) -> Self {
        self.tell = Some(tell);
        self
    }

    fn finish(&mut self, offset: i64) {
        if self.progress.finish_in_place(offset).is_err() {
            tracing::error!(topic = self.served.spec.topic, self.partition, offset, "finished twice");
        }
        self.finished += 1;
    }

    /// Replies that were delivered, or were not.
    fn settle(&mut self) {
        for (offset, delivered) in self.settlements.take() {
            self.core.counters.one(if delivered { Count::Replies } else { Count::RepliesLost });
            self.finish(offset);
        }
    }

    fn poll_running(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(finished)) = self.running.poll_next_unpin(cx) {
            let Finished { record, asked, lane, ran } = finished;
            self.lanes.release(lane);
            self.end(record.as_ref(), &asked, ran);
        }
        self.poll_acknowledging(cx);
    }

    fn poll_acknowledging(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(Acknowledged { offset })) = self.acknowledging.poll_next_unpin(cx) {
            self.finish(offset);
        }
    }

    /// Starts what waited for its lane or a permit, and says how many.
    fn start_waiting(&mut self, now: Now, cx: &mut Context<'_>) -> usize {
        let mut started = 0;
        while self.lanes.has_ready() && !self.assignment.is_stopping() && self.permits.poll(cx) {
            let Some((lane, record)) = self.lanes.next_ready() else { break };
            let record = record.as_ref();
            let (asked, input, admission) = admit(&self.core, &self.served, &record, now);
            if !self.run(&record, asked, input, admission, now, Some(lane), cx) {
                self.lanes.release(lane);
            }
            started += 1;
        }
        started
    }

    /// Takes records from batches; `false` when there are none left for now.
    fn take(&mut self, now: Now, cx: &mut Context<'_>) -> bool {
        // Out of `self` for the time being, which every record needs the whole of.
        let mut batch = std::mem::take(&mut self.batch);
        let mut more = true;
        for _ in 0..SLICE {
            if self.assignment.is_stopping() {
                break;
            }
            if batch.next(|message| self.admit(message, now, cx)).is_none() {
                match self.batches.poll_recv(cx) {
                    Poll::Ready(Some(next)) => batch = next,
                    Poll::Ready(None) | Poll::Pending => {
                        more = false;
                        break;
                    }
                }
            }
        }
        self.batch = batch;
        more
    }

    fn send_answers(&mut self) {
        self.acknowledging.extend(self.answers.send(&self.settlements));
    }

    /// Drops everything that has not started; it is read again after the next assignment.
    fn drop_waiting(&mut self) {
        self.batch = Batch::default();
        self.batches.close();
        while self.batches.try_recv().is_ok() {}
        self.lanes = Lanes::new();
        self.permits.give_back();
        if self.assignment.is_abandoned() {
            self.running = FuturesUnordered::new();
            self.acknowledging = FuturesUnordered::new();
        }
    }

    fn report(&mut self) {
        let finished = std::mem::take(&mut self.finished);
        let succeeded = std::mem::take(&mut self.succeeded);
        if succeeded > 0 {
            self.core.counters.add(Count::Succeeded, succeeded);
        }
        let (taken, waiting) = (std::mem::take(&mut self.taken_bytes), self.lanes.waiting_bytes());
        self.assignment.stand(self.progress.committable(), waiting);
        self.assignment.release(finished, taken);
        self.untold |= finished > 0;
        self.all_finished += finished as u64;
        if let Some(tell) = self.tell.as_ref().filter(|_| self.untold) {
            self.untold = !tell.if_asked(&self.progress, self.all_finished);
        }
        self.assignment.end_poll();
    }
}

impl Future for Worker {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.settlements.woken_by(cx.waker());
        this.assignment.woken_by(cx.waker());
        let now = Now::read();
        this.assignment.begin_poll(now.instant.into_std());
        this.answers.begin(now.instant.into_std());
        this.listened = this.served.results.receiver_count() > 0;
        if !this.assignment.is_abandoned() {
            this.settle();
            this.poll_running(cx);
        }
        if this.assignment.is_stopping() {
            if !this.assignment.is_abandoned() {
                this.send_answers();
                this.poll_acknowledging(cx);
            }
            this.drop_waiting();
            this.report();
            let awaited = this.running.len() + this.acknowledging.len() + this.settlements.outstanding();
            let over = this.assignment.is_abandoned() || awaited == 0;
            return if over { Poll::Ready(()) } else { Poll::Pending };
        }
        this.start_waiting(now, cx);
        let more = this.take(now, cx);
        // What was parked in this slice has not been polled with its own waker yet. What ends there makes room for
        // others, which are parked in turn: a future that was never polled wakes nobody.
        loop {
            this.poll_running(cx);
            if this.start_waiting(now, cx) == 0 {
                break;
            }
        }
        this.send_answers();
        // What could not be queued has not been polled yet.
        this.poll_acknowledging(cx);
        if !more && !this.lanes.has_ready() {
            // A partition that has nothing to start must not keep a permit from one that has.
            this.permits.give_back();
        }
        this.report();
        if more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Messages go before the owner hears of the end: it may close the client then.
        self.drop_waiting();
        if let Some(tell) = self.tell.take() {
            tell.now(&self.progress, self.all_finished);
        }
        drop(self.working.take());
    }
}
