//! What the parts of one app share.

use std::future::{Future, poll_fn};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
};
use std::task::{Context, Poll, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::{Semaphore, broadcast};

use crate::{
    app::Produced,
    broker::Settings,
    dag::Route,
    failure::RetryPolicy,
    observe::Counters,
    produce::Producer,
    reactor::{ReactorSpec, StateMap},
    record::codec::Format,
    request::ReplyPolicy,
};

use super::runner::AnyReactor;

/// What all partitions of an app share.
pub(crate) struct Core {
    /// The app's name, which is its consumer group.
    pub(crate) app: Arc<str>,
    pub(crate) settings: Settings,
    pub(crate) producer: Producer,
    /// Over which graphs ask; `None` in an app without graphs.
    pub(crate) route: Option<Arc<dyn Route>>,
    pub(crate) state: StateMap,
    pub(crate) counters: Arc<Counters>,
    /// Where replies may go.
    pub(crate) replies: ReplyPolicy,
    /// In which format values are written that nobody asked for in another one.
    pub(crate) format: Format,
    pub(crate) back_off: RetryPolicy,
}

/// What all partitions of one reactor share.
pub(crate) struct Served {
    pub(crate) reactor: Box<dyn AnyReactor>,
    pub(crate) spec: &'static ReactorSpec,
    /// How many records may be in flight.
    pub(crate) permits: Arc<Semaphore>,
    /// Who listens to `results`.
    pub(crate) results: broadcast::Sender<Produced>,
}

impl Served {
    pub(crate) fn new(reactor: Box<dyn AnyReactor>, results: broadcast::Sender<Produced>) -> Self {
        let spec = reactor.spec();
        let permits = Arc::new(Semaphore::new(spec.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Served { reactor, spec, permits, results }
    }
}

/// What a partition holds that was taken and is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) records: usize,
    /// Of records that wait for their lane.
    pub(super) waiting_bytes: usize,
    /// Of records that the worker has not come to.
    pub(super) batched_bytes: usize,
}

impl Load {
    /// With more records, which the worker has not come to.
    pub(super) fn with(self, more: Load) -> Load {
        Load {
            records: self.records + more.records,
            batched_bytes: self.batched_bytes + more.batched_bytes,
            ..self
        }
    }

    /// Whether there is no more of anything.
    pub(super) fn is_within(&self, most: Load) -> bool {
        self.records <= most.records
            && self.waiting_bytes <= most.waiting_bytes
            && self.batched_bytes <= most.batched_bytes
    }
}

/// What a partition's worker tells the owner thread, for one assignment of the partition. A new assignment has a
/// new one, so nothing of an old one is ever mistaken for it.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// The offset to commit.
    committable: AtomicI64,
    /// The offset behind the last record that the partition is known to have; only of those who commit by themselves.
    known_end: AtomicI64,
    /// How many records were handed over and are not finished.
    held: AtomicUsize,
    /// How many bytes of them wait for their lane.
    waiting_bytes: AtomicUsize,
    /// How many bytes of them the worker has not come to.
    batched_bytes: AtomicUsize,
    /// Nothing new is started; what runs may end.
    stopping: AtomicBool,
    /// What runs is given up, too.
    abandoned: AtomicBool,
    /// The workers that have not ended: something runs, or a message is alive.
    working: AtomicUsize,
    /// The owner paused the partition and is to be woken when it holds at most `low`.
    paused: AtomicBool,
    low: (AtomicUsize, AtomicUsize, AtomicUsize),
    /// When the worker's present poll began, in milliseconds after `made`; 0: it is not being polled.
    polling: AtomicU64,
    /// The record that was polled last.
    running: AtomicI64,
    made: Instant,
    owner: Thread,
    /// Whoever commits by itself, and the worker of a reactor: there may be both.
    committer: AtomicWaker,
    reactor: AtomicWaker,
}

impl Assignment {
    pub(crate) fn new(start: i64, owner: Thread) -> Self {
        Assignment {
            committable: AtomicI64::new(start),
            known_end: AtomicI64::new(start),
            held: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            batched_bytes: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            working: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            low: (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)),
            polling: AtomicU64::new(0),
            running: AtomicI64::new(start),
            made: Instant::now(),
            owner,
            committer: AtomicWaker::new(),
            reactor: AtomicWaker::new(),
        }
    }

    // The owner's side.

    pub(crate) fn committable(&self) -> i64 {
        self.committable.load(Ordering::Acquire)
    }

    pub(super) fn hand_over(&self, records: usize, bytes: usize) {
        self.batched_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.held.fetch_add(records, Ordering::AcqRel);
    }

    /// The partition is known to reach at least so far.
    pub(super) fn reaches(&self, end: i64) {
        self.known_end.fetch_max(end, Ordering::Relaxed);
    }

    pub(super) fn load(&self) -> Load {
        let load = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        Load {
            records: load(&self.held),
            waiting_bytes: load(&self.waiting_bytes),
            batched_bytes: load(&self.batched_bytes),
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Has the owner woken when the partition holds no more than this. To be asked for before looking: what the worker
    /// reports meanwhile is seen by one of both (hence `SeqCst`).
    pub(super) fn wake_at(&self, low: Load) {
        self.low.0.store(low.records, Ordering::Relaxed);
        self.low.1.store(low.waiting_bytes, Ordering::Relaxed);
        self.low.2.store(low.batched_bytes, Ordering::Relaxed);
        self.paused.store(true, Ordering::SeqCst);
    }

    /// How long the worker has been in its present poll, and a number that tells polls apart. A poll is short unless
    /// a handler blocks its thread.
    pub(crate) fn polling(&self) -> Option<(u64, Duration)> {
        let began = self.polling.load(Ordering::Relaxed);
        let since = Duration::from_millis(began.checked_sub(1)?);
        Some((began, self.made.elapsed().saturating_sub(since)))
    }

    /// The offset of the record that was polled last. While the worker is being polled, that is the one that runs.
    pub(super) fn running(&self) -> i64 {
        self.running.load(Ordering::Relaxed)
    }

    /// Has the worker start nothing new and end with what runs.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.committer.wake();
        self.reactor.wake();
    }

    /// Fences the assignment: has the worker end without what runs, and drop whatever comes of it.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.stop();
    }

    /// Somebody begins to serve the partition.
    pub(crate) fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::AcqRel);
        Working(self.clone())
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.working.load(Ordering::Acquire) == 0
    }

    // The worker's side.

    /// The offset behind the last record that the partition is known to have.
    pub(crate) fn known_end(&self) -> i64 {
        self.known_end.load(Ordering::Relaxed)
    }

    /// A reactor's worker, before it looks whether it is told to stop.
    pub(crate) fn woken_by(&self, reactor: &Waker) {
        self.reactor.register(reactor);
    }

    /// Has the reactor's worker look again.
    pub(super) fn wake_reactor(&self) {
        self.reactor.wake();
    }

    pub(crate) fn begin_poll(&self, now: Instant) {
        let millis = now.saturating_duration_since(self.made).as_millis();
        self.polling.store(u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1, Ordering::Relaxed);
    }

    pub(crate) fn end_poll(&self) {
        self.polling.store(0, Ordering::Relaxed);
    }

    /// Waits until it is given up, too.
    pub(crate) fn abandoned(&self) -> impl Future<Output = ()> + Send + use<'_> {
        poll_fn(|cx| {
            self.committer.register(cx.waker());
            if self.is_abandoned() { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// Whether it is told to stop; if not, the task is woken when it is.
    pub(crate) fn poll_stopped(&self, cx: &mut Context<'_>) -> bool {
        self.committer.register(cx.waker());
        self.is_stopping()
    }

    /// Waits until it is told to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<'_> {
        poll_fn(|cx| if self.poll_stopped(cx) { Poll::Ready(()) } else { Poll::Pending })
    }

    /// This record is polled next.
    pub(crate) fn runs(&self, offset: i64) {
        self.running.store(offset, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Publishes where the partition stands: the offset to commit, and the bytes that wait.
    pub(crate) fn stand(&self, committable: i64, waiting_bytes: usize) {
        self.committable.store(committable, Ordering::Release);
        self.waiting_bytes.store(waiting_bytes, Ordering::SeqCst);
    }

    /// Makes room for more: the records that were finished and the bytes that were come to since the last time.
    pub(crate) fn release(&self, finished: usize, taken_bytes: usize) {
        let waiting_bytes = self.waiting_bytes.load(Ordering::SeqCst);
        let batched_bytes = self.batched_bytes.fetch_sub(taken_bytes, Ordering::SeqCst) - taken_bytes;
        let records = self.held.fetch_sub(finished, Ordering::SeqCst) - finished;
        let low = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        if self.paused.load(Ordering::SeqCst)
            && records <= low(&self.low.0)
            && waiting_bytes <= low(&self.low.1)
            && batched_bytes <= low(&self.low.2)
        {
            self.paused.store(false, Ordering::Relaxed);
            self.owner.unpark();
        }
    }
}

/// The work of one who serves a partition, for one assignment: over when it is dropped. Whoever gives the partition back
/// waits until nobody works on it.
pub(crate) struct Working(Arc<Assignment>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::AcqRel);
        self.0.owner.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_has_ended_when_nobody_works_on_it() {
        let assignment = Arc::new(Assignment::new(0, std::thread::current()));
        let [one, other] = [assignment.work(), assignment.work()];
        drop(one);
        assert!(!assignment.has_ended());
        drop(other);
        assert!(assignment.has_ended());
    }
}
