//! From windows that fired to transactions: the handlers that run, and the cuts that wait for them.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, task::Poll};

use futures_util::{
    future::{BoxFuture, FutureExt},
    stream::{FuturesOrdered, FuturesUnordered, StreamExt},
};

use crate::{
    app::Produced,
    broker::ffi::GroupMetadata,
    consume::{Core, Ran},
    failure::{Code, Failure},
    observe::Count,
    produce::{
        Sizes,
        transactions::{Batch, CommitMetadata, Epoch, Outcome, Pending, TransactionError, Transactions},
    },
    record::{HeadersRef, RecordRef, wire::HeaderBuf},
    window::{
        cuts::{Cuts, Slot},
        typed::Declared,
    },
};

use super::{
    emit::{Emit, Sender, is_nothing},
    typed::{Begun, Fired, Gathering},
};

/// Handlers that run at once.
const MOST_RUNNING: usize = 256;
/// Cuts that wait for their handlers. Then there are no more: what fires goes into the one that comes next.
const MOST_CUTS: usize = 16;
/// Results that wait for those before them, and batches on their way to a transaction; beyond them nothing more is read.
const MOST_HELD: usize = 8_192;
const MOST_PENDING: usize = 2;

/// Where a partition stands, as it is committed.
#[derive(Clone, Debug)]
pub(in crate::window) struct Commit {
    pub(in crate::window) topic: Arc<str>,
    pub(in crate::window) partition: i32,
    pub(in crate::window) epoch: Epoch,
    pub(in crate::window) metadata: CommitMetadata,
}

/// What fired in one partition, or in those of one number, and was not committed yet.
pub(in crate::window) struct Outbox {
    core: Arc<Core>,
    declared: Arc<Declared>,
    transactions: Transactions,
    /// What results are said to come from.
    topic: Arc<str>,
    partition: i32,
    cuts: Cuts<Emit, Vec<Commit>>,
    running: FuturesUnordered<BoxFuture<'static, (Slot, Fired, Ran)>>,
    pending: FuturesOrdered<Pending>,
    /// What was committed last; what only moves time commits it again.
    committed: Vec<Commit>,
    /// How many cuts were made, and how many of them were handed over.
    made: u64,
    handed_over: u64,
    /// What each of `pending` will have committed.
    sent: VecDeque<Confirmed>,
    confirmed: Confirmed,
}

/// What is known to be committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::window) struct Confirmed {
    /// How many cuts.
    pub(in crate::window) cuts: u64,
    /// The offset of each partition that is committed for, in the order of the commits.
    pub(in crate::window) offsets: Vec<i64>,
}

/// Why a partition does not go on.
pub(in crate::window) enum Ended {
    /// It is somebody else's, and the owner thread knows by now, or soon.
    Lost,
    Failed(TransactionError),
}

impl Outbox {
    pub(in crate::window) fn new(
        core: Arc<Core>,
        declared: Arc<Declared>,
        transactions: Transactions,
        (topic, partition): (Arc<str>, i32),
        committed: Vec<Commit>,
    ) -> Self {
        Outbox {
            core,
            declared,
            transactions,
            topic,
            partition,
            cuts: Cuts::new(),
            running: FuturesUnordered::new(),
            pending: FuturesOrdered::new(),
            made: 0,
            handed_over: 0,
            sent: VecDeque::new(),
            confirmed: Confirmed { cuts: 0, offsets: offsets(&committed) },
            committed,
        }
    }

    /// Whether more may be read.
    pub(in crate::window) fn has_room(&self) -> bool {
        self.running.len() < MOST_RUNNING && self.cuts.held() < MOST_HELD && self.may_submit()
    }

    /// Whether it may be cut.
    pub(in crate::window) fn may_cut(&self) -> bool {
        self.cuts.waiting() < MOST_CUTS
    }

    pub(in crate::window) fn may_submit(&self) -> bool {
        self.pending.len() < MOST_PENDING
    }

    /// Whether nothing is running or on its way.
    pub(in crate::window) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.pending.is_empty()
    }

    /// Whether there are results behind the last cut.
    pub(in crate::window) fn has_results(&self) -> bool {
        self.cuts.has_open()
    }

    /// Adds what needs no handler.
    pub(in crate::window) fn push(&mut self, emit: Emit) {
        self.cuts.push(emit);
    }

    /// Starts the handlers of windows that fired, as many as may run at once.
    pub(in crate::window) async fn start(&mut self, gathering: &mut dyn Gathering) {
        poll_fn(|cx| {
            while self.running.len() < MOST_RUNNING {
                match gathering.start(cx) {
                    None => break,
                    Some(Begun::Done(fired, ran)) => {
                        let slot = self.cuts.expect();
                        self.ended(slot, fired, ran);
                    }
                    Some(Begun::Pending(run)) => {
                        let slot = self.cuts.expect();
                        self.running.push(run.map(move |(fired, ran)| (slot, fired, ran)).boxed());
                    }
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Waits until a handler or a transaction ends; for ever if there is none.
    pub(in crate::window) async fn turn(&mut self) -> Result<(), Ended> {
        tokio::select! {
            biased;
            Some((slot, fired, ran)) = self.running.next() => {
                self.ended(slot, fired, ran);
                Ok(())
            }
            Some(outcome) = self.pending.next() => {
                let sent = self.sent.pop_front();
                match outcome {
                    Ok(Outcome::Committed) => {
                        self.confirmed = sent.unwrap_or_default();
                        Ok(())
                    }
                    Ok(Outcome::Lost) => Err(Ended::Lost),
                    Err(error) => Err(Ended::Failed(error)),
                }
            }
            else => std::future::pending().await,
        }
    }

    /// Takes in what a handler returned.
    fn ended(&mut self, slot: Slot, fired: Fired, ran: Ran) {
        let (counters, declared, format) = (&self.core.counters, &self.declared, self.core.format);
        let emit = match ran.and_then(|value| self.fitting(&fired, value)) {
            Ok(value) => {
                counters.one(Count::Succeeded);
                let value = value.filter(|value| !is_nothing(declared, value, format));
                if let Some(value) = value.as_ref().filter(|_| declared.is_listened()) {
                    self.tell(&fired, value);
                }
                value.filter(|_| declared.spec.to.is_some()).map(|value| {
                    counters.one(Count::Sent);
                    Emit::Result { fired, value, format }
                })
            }
            Err(failure) => {
                counters.one(Count::Failed);
                counters.one(Count::DeadLetters);
                if *failure.code() == Code::Panic {
                    counters.one(Count::Panics);
                }
                tracing::warn!(
                    window = declared.spec.name,
                    partition = self.partition,
                    offset = fired.cause,
                    code = failure.code().as_str(),
                    "{}",
                    failure.message()
                );
                Some(Emit::Failed { fired, failure })
            }
        };
        self.cuts.fill(slot, emit);
    }

    /// What a handler returned, unless it is too large to be sent: that is a failure of its own.
    fn fitting(&self, fired: &Fired, value: Option<Vec<u8>>) -> Ran {
        let (declared, sizes) = (&self.declared, Sizes::of(&self.core.settings));
        if let (Some(to), Some(value)) = (declared.spec.to, &value)
            && !is_nothing(declared, value, self.core.format)
            && let Err(error) = sizes.check(to, fired.key.len() + value.len(), 0)
        {
            return Err(Failure::new(Code::TooLarge, error.to_string()));
        }
        Ok(value)
    }

    /// Tells those that listen to `results`.
    fn tell(&self, fired: &Fired, value: &[u8]) {
        let record = RecordRef {
            topic: &self.topic,
            partition: self.partition,
            offset: fired.cause,
            timestamp: Some(fired.timestamp),
            key: Some(&fired.key),
            value: None,
            headers: HeadersRef::Empty,
        };
        let produced = Produced::new(&record, value.to_vec(), self.core.format);
        // An error only says that the last listener has just gone.
        let _ = self.declared.results.send(produced);
    }

    /// Cuts where everything that fired has been started.
    pub(in crate::window) fn cut(&mut self, commits: Vec<Commit>) {
        self.cuts.cut(commits);
        self.made += 1;
    }

    /// How many cuts were made.
    pub(in crate::window) fn made(&self) -> u64 {
        self.made
    }

    /// What is known to be committed.
    pub(in crate::window) fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// Hands over the cuts that are complete.
    pub(in crate::window) fn hand_over(&mut self, membership: impl Fn() -> Option<GroupMetadata>) {
        while self.may_submit() {
            let Some(membership) = membership() else { return };
            let Some((emits, commits)) = self.cuts.take() else { return };
            let mut batch = Batch::new(membership);
            let mut sender = Sender {
                app: &self.core.app,
                declared: &self.declared,
                topic: &self.topic,
                partition: self.partition,
                sizes: Sizes::of(&self.core.settings),
                headers: HeaderBuf::new(),
            };
            emits.iter().for_each(|emit| sender.push(emit, &mut batch));
            self.committed = commits;
            self.handed_over += 1;
            self.submit(batch);
        }
    }

    /// Hands over a batch that only speaks of time: it commits once more what was committed.
    pub(in crate::window) fn submit(&mut self, mut batch: Batch) {
        for commit in &self.committed {
            batch.commit(&commit.topic, commit.partition, commit.epoch, commit.metadata.clone());
        }
        self.pending.push_back(self.transactions.submit(batch));
        self.sent.push_back(Confirmed { cuts: self.handed_over, offsets: offsets(&self.committed) });
    }

    /// Commits what waits without waiting for the interval.
    pub(in crate::window) fn hurry(&self) {
        self.transactions.hurry();
    }
}

fn offsets(commits: &[Commit]) -> Vec<i64> {
    commits.iter().map(|commit| commit.metadata.offset()).collect()
}
