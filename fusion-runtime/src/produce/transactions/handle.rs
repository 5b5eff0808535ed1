//! The handle that the rest of the app has of the owner thread.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use tokio::sync::oneshot;

use super::client::{Client, Transactional};
use super::owner::{Owner, Patience};
use super::plain::Plain;
use super::queue::Limits;
use super::recover::Duels;
use super::shared::Shared;
use super::slot::Slot;
use super::{Batch, Epoch, GroupMetadata, TransactionError};
use crate::broker::config::TRANSACTION_TIMEOUT;
use crate::broker::{Config, ConfigError};
use crate::observe::{Counters, Metrics};

/// What a producer gets to commit the rest when nobody closed it.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Records and offsets are committed.
    Committed,
    /// A partition it speaks for was fenced before that: whoever has it now does the work again.
    Lost,
}

/// Resolves to what became of a batch.
#[derive(Debug)]
#[must_use = "what is not committed has to stop its partition"]
pub struct Pending(pub(super) oneshot::Receiver<Result<Outcome, TransactionError>>);

impl Pending {
    /// The outcome, if it is known already. Tells it once.
    pub fn try_outcome(&mut self) -> Option<Result<Outcome, TransactionError>> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(TransactionError::Closed)),
        }
    }

    /// Waits for the outcome on a thread that may block.
    pub fn wait(self) -> Result<Outcome, TransactionError> {
        self.0.blocking_recv().unwrap_or(Err(TransactionError::Closed))
    }
}

impl Future for Pending {
    type Output = Result<Outcome, TransactionError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|told| told.unwrap_or(Err(TransactionError::Closed)))
    }
}

/// Commits batches. A clone is the same producer; when the last one is dropped it closes by itself, as
/// [`close`](Transactions::close) with five seconds would.
#[derive(Clone)]
pub struct Transactions {
    pub(super) handle: Arc<Handle>,
}

/// Closes when the last clone goes.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    /// Whether the broker has transactions.
    pub(super) exactly_once: bool,
    pub(super) counters: Arc<Counters>,
    pub(super) id: String,
}

/// Starts the thread of a client.
pub(super) fn spawn<C: Client + Send + 'static>(
    client: C,
    shared: &Arc<Shared>,
    counters: &Arc<Counters>,
    slot: Slot,
    patience: Patience,
) -> Result<(), ConfigError> {
    let (shared, counters) = (shared.clone(), counters.clone());
    let (duels, time) = (Duels::default(), TRANSACTION_TIMEOUT);
    let owner = Owner { client, shared, counters, slot, duels, patience, time };
    let thread = thread::Builder::new().name("fusion-transactions".into()).spawn(move || owner.run());
    thread
        .map(drop)
        .map_err(|error| ConfigError::Client { client: "transactional producer", reason: error.to_string() })
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close(Instant::now() + DROP_LIMIT);
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Transactions")
            .field("exactly_once", &self.handle.exactly_once)
            .finish_non_exhaustive()
    }
}

impl Transactions {
    /// Makes the client for a group's transactions and starts its thread; no broker needs to answer yet. `consumer` is the
    /// group's: on the embedded broker its offsets are committed by it, and there it is kept alive until
    /// [`close`](Transactions::close) has ended the thread. Elsewhere it is not touched.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration is wrong or no client or thread can be made.
    pub fn start<C>(
        config: &Config,
        group: &str,
        consumer: &Arc<BaseConsumer<C>>,
    ) -> Result<Transactions, ConfigError>
    where
        C: ConsumerContext + 'static,
    {
        Transactions::start_counted(config, group, consumer, Arc::new(Counters::new()))
    }

    /// As [`start`](Transactions::start), counting where the app does.
    pub(crate) fn start_counted<C>(
        config: &Config,
        group: &str,
        consumer: &Arc<BaseConsumer<C>>,
        counters: Arc<Counters>,
    ) -> Result<Transactions, ConfigError>
    where
        C: ConsumerContext + 'static,
    {
        let failed = |reason: String| ConfigError::Client { client: "transactional producer", reason };
        let shared = Arc::new(Shared::new(Limits::of(config.settings())));
        let exactly_once = !config.is_embedded();
        let slot = if exactly_once { Slot::find(config, group) } else { Slot::by_chance(group) };
        let id = slot.id();
        if exactly_once {
            let client = Transactional::make(config, group, &id).map_err(failed)?;
            tracing::debug!(id, "transactions");
            spawn(client, &shared, &counters, slot, Patience::default())?;
        } else {
            tracing::warn!("the embedded broker has no transactions: records are written at least once");
            let client = Plain::make(config, consumer).map_err(failed)?;
            spawn(client, &shared, &counters, slot, Patience::default())?;
        }
        Ok(Transactions { handle: Arc::new(Handle { shared, exactly_once, counters, id }) })
    }

    /// The counters of this producer.
    pub fn metrics(&self) -> Metrics {
        self.handle.counters.read()
    }

    /// Whether records and offsets are one transaction. On the embedded broker they are not: there, records may be
    /// written again after a failure.
    pub fn is_exactly_once(&self) -> bool {
        self.handle.exactly_once
    }

    /// The `transactional.id` that it started with; see `Config::slot`.
    pub fn id(&self) -> String {
        self.handle.id.clone()
    }

    /// Lets the outcome of the next transaction be unknown although it is committed, as if the answer were lost. For tests:
    /// no broker can be asked to do that at the right moment.
    #[doc(hidden)]
    pub fn forget_next_outcome(&self) {
        self.handle.shared.forget_next_outcome();
    }

    /// Waits until what the last holder of our id left open has ended. Read committed offsets after that.
    ///
    /// # Errors
    /// When the brokers refuse us.
    pub async fn ready(&self) -> Result<(), TransactionError> {
        self.handle.shared.ready().await
    }

    /// Hands a batch over; never waits. It is committed within about `Config::commit_interval`, together with what else
    /// waits, and stays in memory until its outcome is known. Batches of one partition are committed in this order.
    pub fn submit(&self, batch: Batch) -> Pending {
        let (tell, told) = oneshot::channel();
        self.handle.shared.submit(batch, tell);
        Pending(told)
    }

    /// The most bytes that the text beside an offset may have. It is halved when a broker takes less.
    pub fn metadata_limit(&self) -> usize {
        self.handle.shared.metadata_limit()
    }

    /// Tells a newer generation of the group. Batches that have to be sent again go under it, as far as their epochs are
    /// not fenced: so fence first, then take it, on the consumer's thread.
    pub fn regroup(&self, group: GroupMetadata) {
        self.handle.shared.regroup(group);
    }

    /// Gives up every batch that speaks for this partition under this epoch or an earlier one. What is being committed
    /// at this moment may still be; the broker decides that by generation.
    pub fn fence(&self, topic: &str, partition: i32, epoch: Epoch) {
        self.handle.shared.fence(topic, partition, epoch);
    }

    /// Commits what waits now without waiting for the interval.
    pub fn hurry(&self) {
        self.handle.shared.hurry();
    }

    /// Whether a batch that speaks for one of these partitions waits or is being committed.
    pub fn holds<'a>(&self, partitions: impl IntoIterator<Item = (&'a str, i32)>) -> bool {
        self.handle.shared.holds(partitions)
    }

    /// Waits until the producer fails as a whole; what is submitted after that is refused with the same error.
    pub async fn failed(&self) -> TransactionError {
        self.handle.shared.failed().await
    }

    /// Refuses what is submitted from now on, commits what waits until `until`, and ends the thread. Whatever the brokers
    /// do, it returns at `until`.
    pub async fn close(&self, until: Instant) {
        self.handle.shared.close(until);
        let limit = tokio::time::Instant::from_std(until);
        let _ = tokio::time::timeout_at(limit, self.handle.shared.over()).await;
    }
}
