//! An app at work.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::broadcast;

use crate::{
    Error,
    broker::Config,
    consume::Consumer,
    observe::{Counters, Metrics},
    produce::{Producer, transactions::Transactions},
    reactor::Produces,
    request::Requests,
    window::{Declared, WindowMetrics},
};

use super::{Produced, Results};

/// An app that serves. Dropping it without [`shutdown`](Running::shutdown) leaves it running until the process ends.
///
/// ```
/// use fusion::{Count, prelude::*};
///
/// #[reactor(topic = "half")]
/// fn half(number: i64) -> Result<i64, Failure> {
///     match number % 2 {
///         0 => Ok(number / 2),
///         _ => Err(Failure::new("odd", format!("{number} is odd")).not_retryable()),
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// let config = Config::embedded()?;
/// let app = App::new("halves", config.clone()).reactors(reactors![half]).start().await?;
/// assert_eq!(app.assigned().await, 4); // the embedded broker's topics have four partitions
///
/// let pipeline = Pipeline::connect("caller", config).await?;
/// assert_eq!(pipeline.ask::<half>((42,)).await?, 21);
/// assert!(pipeline.ask::<half>((7,)).await.is_err());
/// pipeline.close().await?;
///
/// assert_eq!(app.metrics().get(Count::Failed), 1);
/// app.shutdown().await
/// # }
/// ```
pub struct Running {
    config: Config,
    consumer: Consumer,
    requests: Option<Requests>,
    producer: Producer,
    transactions: Option<Transactions>,
    counters: Arc<Counters>,
    results: HashMap<TypeId, broadcast::Sender<Produced>>,
    windows: Vec<Arc<Declared>>,
}

impl Running {
    #[expect(clippy::too_many_arguments, reason = "all that an app is made of")]
    pub(super) fn new(
        config: Config,
        consumer: Consumer,
        requests: Option<Requests>,
        producer: Producer,
        transactions: Option<Transactions>,
        counters: Arc<Counters>,
        results: HashMap<TypeId, broadcast::Sender<Produced>>,
        windows: Vec<Arc<Declared>>,
    ) -> Self {
        Running { config, consumer, requests, producer, transactions, counters, results, windows }
    }

    /// What reactor `R` produces from now on, in this process: the answers of one that serves a topic, the results of one
    /// that gathers windows, each before it is known to be committed, so perhaps again after a rebalance. A reactor that is not one of the app's produces
    /// nothing, and a window's `None` is no result.
    ///
    /// ```
    /// use fusion::prelude::*;
    ///
    /// #[reactor(topic = "double")]
    /// fn double(number: i64) -> i64 { number * 2 }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> fusion::Result<()> {
    /// let config = Config::embedded()?;
    /// let app = App::new("doubler", config.clone()).reactors(reactors![double]).start().await?;
    /// let mut results = app.results::<double>();
    ///
    /// let pipeline = Pipeline::connect("caller", config).await?;
    /// pipeline.send::<double>((21,)).await?;
    /// assert_eq!(results.next().await.unwrap().unwrap().value, 42);
    ///
    /// pipeline.close().await?;
    /// app.shutdown().await
    /// # }
    /// ```
    pub fn results<R>(&self) -> Results<R::Produced>
    where
        R: Produces<Produced: serde::de::DeserializeOwned>,
    {
        let receiver = match self.results.get(&TypeId::of::<R>()) {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        Results::new(receiver)
    }

    /// The counters, as they are now.
    pub fn metrics(&self) -> Metrics {
        self.counters.read()
    }

    /// Lets the outcome of the next transaction be unknown although it is committed, as if the answer were lost. For tests:
    /// no broker can be asked to do that at the right moment.
    #[doc(hidden)]
    pub fn forget_next_outcome(&self) {
        if let Some(transactions) = &self.transactions {
            transactions.forget_next_outcome();
        }
    }

    /// Each of the app's windows, as it is now.
    pub fn windows(&self) -> Vec<WindowMetrics> {
        self.windows.iter().map(|window| window.metrics()).collect()
    }

    /// Fires every window that is open in the partitions that this instance has, and returns when all their results are
    /// committed: for programs that work off what there is and end. They fire with reason
    /// [`Drained`](crate::window::Reason::Drained), time moves on to the last close among them, and records that still come
    /// for them are late. A [`shutdown`](Running::shutdown) alone fires nothing: what is open goes on with the next start.
    ///
    /// It is about what was read by then. So wait before until what you count on is open, or until there has been no
    /// [lag](WindowMetrics::lag) for a while: a record that was just written is no lag before the app hears of it. With
    /// several instances each drains its own; partitions that go to another instance meanwhile are left to that one.
    ///
    /// If the instance ends before this returns, a drain that is in a window's log already is seen through by whoever has
    /// the partition next. `copartitioned` sources have no log: nothing was drained of them until then.
    ///
    /// ```
    /// use fusion::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Sale {
    ///     shop: String,
    ///     cents: u64,
    /// }
    ///
    /// #[reactor(
    ///     window! < sales: "sales" by shop >,
    ///     tumbling = 1h, grace = 5m,
    ///     to = "sums",
    /// )]
    /// fn sum(shop: Key<String>, sales: Vec<Sale>) -> (String, u64) {
    ///     (shop.0, sales.iter().map(|sale| sale.cents).sum())
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> fusion::Result<()> {
    /// let config = Config::embedded()?;
    /// let app = App::new("accounts", config.clone()).reactors(reactors![sum]).start().await?;
    /// let mut sums = app.results::<sum>();
    /// app.assigned().await;
    /// let pipeline = Pipeline::connect("shops", config).await?;
    /// for shop in ["Lisbon", "Porto"] {
    ///     pipeline.send_value("sales", serde_json::json!({ "shop": shop, "cents": 120 })).await?;
    /// }
    /// let open = || app.windows()[0].partitions.iter().map(|partition| partition.open).sum::<usize>();
    /// while open() < 2 {
    ///     tokio::time::sleep(Duration::from_millis(10)).await;
    /// }
    /// app.drain().await?;
    /// for _ in 0..2 {
    ///     assert_eq!(sums.next().await.unwrap().unwrap().value.1, 120);
    /// }
    /// pipeline.close().await?;
    /// app.shutdown().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever ends the app meanwhile.
    pub async fn drain(&self) -> Result<(), Error> {
        let asked: Vec<_> = self.windows.iter().flat_map(|window| window.drains.ask()).collect();
        // Those that were dropped are somebody else's now.
        let drained = async { drop(futures_util::future::join_all(asked).await) };
        let drained = std::pin::pin!(drained);
        let failed = std::pin::pin!(self.failed());
        match futures_util::future::select(failed, drained).await {
            futures_util::future::Either::Left((error, _)) => Err(Error::Shared(error)),
            futures_util::future::Either::Right(_) => Ok(()),
        }
    }

    /// Waits until the group has given this instance partitions, and says how many. With more instances than
    /// partitions, that may be never.
    pub async fn assigned(&self) -> usize {
        let mut assigned = self.consumer.assigned();
        assigned.wait_for(|&partitions| partitions > 0).await.map_or(0, |partitions| *partitions)
    }

    /// Waits until the app ends by itself, and says why.
    pub async fn failed(&self) -> Arc<Error> {
        self.consumer.failed().await
    }

    /// Takes nothing new, lets what runs end, commits, and closes, within the configuration's `stop_limit`. Records that
    /// are still running then, or whose values or dead letters are not confirmed by then, are not committed, and delivered
    /// again to whoever has the partition next. A warning says how many.
    ///
    /// # Errors
    /// None so far: nothing is lost by an end.
    pub async fn shutdown(self) -> Result<(), Error> {
        let limit = self.config.settings().stop_limit;
        // A part of the time is for what comes behind the drain: confirmations, and the end of the clients.
        let until = Instant::now() + limit;
        let rest = (limit / 10).min(Duration::from_secs(3));
        let stopped = self.consumer.stop(until - rest, until - rest / 3).await;
        if stopped.unfinished > 0 {
            tracing::warn!(records = stopped.unfinished, "not finished in time, they are delivered again");
        }
        if let Some(transactions) = &self.transactions {
            transactions.close(until).await;
        }
        if let Some(requests) = &self.requests {
            requests.close(until).await;
        }
        if let Err(error) = self.producer.close(until).await {
            // Mostly replies to callers that have gone. Whatever matters belongs to a record that is not finished.
            tracing::warn!(%error, "shutdown");
        }
        Ok(())
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
