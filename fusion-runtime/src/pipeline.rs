//! Asking and sending from anywhere: a web handler, a job, a test.

mod ask;
mod send;

pub use ask::Ask;
pub use send::SendRecord;

use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Error,
    broker::Config,
    contract::{Args, Asked, Contract, Envelope, Fits, Wire},
    dag::{CallError, Caller, shape},
    observe::{Counters, Metrics},
    produce::Producer,
    record::codec::{Codec, Format},
    request::{Replies, Requests},
};

/// How long an answer is waited for where nothing else is said.
const WITHIN: Duration = Duration::from_secs(30);

/// Sends and asks. A clone is the same pipeline.
///
/// ```
/// use fusion::prelude::*;
///
/// #[reactor(topic = "add")]
/// fn add(numbers: Vec<i64>) -> i64 { numbers.iter().sum() }
///
/// #[reactor(topic = "subtract")]
/// fn subtract(from: i64, amount: i64) -> i64 { from - amount }
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// let config = Config::embedded()?;
/// let app = App::new("math", config.clone()).reactors(reactors![add, subtract]).start().await?;
/// let pipeline = Pipeline::connect("caller", config).await?;
///
/// assert_eq!(pipeline.ask::<add>((1, 2, 3)).await?, 6);
///
/// let answers = pipeline.run(deps! { one: "add"(1, 2, 3); two: "subtract"(2) <- cons(one) }).await?;
/// assert_eq!(answers.two, 4);
///
/// pipeline.close().await?;
/// app.shutdown().await
/// # }
/// ```
#[derive(Clone)]
pub struct Pipeline {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    requests: Requests,
    producer: Producer,
    counters: Arc<Counters>,
    format: Format,
}

/// Where a record was written: what [`Pipeline::send`] answers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl Pipeline {
    /// Connects, with an inbox of its own. `name` appears in the inbox's name and in logs.
    ///
    /// When it returns, the way back is ready: an answer to the very first request is not lost.
    ///
    /// # Errors
    /// When the configuration is wrong, no broker answers within `connect_limit`, or the inbox cannot be created.
    pub async fn connect(name: &str, config: Config) -> Result<Pipeline, Error> {
        Pipeline::connect_with(name, config, Replies::Inbox, Format::default()).await
    }

    /// Connects, with another way for the replies or another format.
    ///
    /// # Errors
    /// Those of [`connect`](Pipeline::connect).
    pub async fn connect_with(
        name: &str,
        config: Config,
        replies: Replies,
        format: Format,
    ) -> Result<Pipeline, Error> {
        config.check()?;
        let producer = Producer::start(&config)?;
        let counters = Arc::new(Counters::new());
        let requests =
            Requests::connect(&config, name, producer.clone(), counters.clone(), format, replies).await?;
        Ok(Pipeline { shared: Arc::new(Shared { config, requests, producer, counters, format }) })
    }

    /// Asks the topic of contract `C`, which [`Answers`](crate::contract::Answers), and waits for the answer:
    /// `pipeline.ask::<add>((1, 2, 3)).await?`.
    ///
    /// Before the `.await`, [`within`](Ask::within), [`retry`](Ask::retry), [`key`](Ask::key) and
    /// [`header`](Ask::header) say how.
    ///
    /// Arguments are a tuple, from which trailing `Option`s may be left out. The only argument may stand alone if it
    /// is a reference, a number or a text: `ask::<square>(12)`, `ask::<place>(&order)`. A topic that takes a list takes
    /// a tuple of any length, an array, a slice or a `Vec`.
    ///
    /// # Errors
    /// `.await` gives a [`CallError`]: the service's own failure with its code, or `timeout`, `unknown_topic`,
    /// `too_large`, `decode`.
    pub fn ask<C: Contract<Least: Asked>>(&self, args: impl Fits<C::Params>) -> Ask<C::Reply> {
        let value = self.arguments::<C>(&args);
        Ask::new(self.clone(), Cow::Borrowed(C::TOPIC), C::ENVELOPE, value)
    }

    /// Asks a topic by its name. The value is what goes over the wire: an array for several arguments.
    ///
    /// # Errors
    /// As [`ask`](Pipeline::ask).
    pub fn ask_value(&self, topic: impl Into<String>, value: Value) -> Ask<Value> {
        let topic = topic.into();
        let value = self.encoded(&topic, &value);
        Ask::new(self.clone(), Cow::Owned(topic), Envelope::Headers, value)
    }

    /// Sends to the topic of contract `C` and waits until the record is written, not until it is handled.
    ///
    /// ```
    /// use fusion::prelude::*;
    ///
    /// #[contract(topic = "visits")]
    /// fn visited(plate: String, place: String);
    ///
    /// # #[tokio::main]
    /// # async fn main() -> fusion::Result<()> {
    /// # let pipeline = Pipeline::connect("caller", Config::embedded()?).await?;
    /// let plate = "AA-01-BB".to_owned();
    /// let position = pipeline.send::<visited>((&plate, "Lisbon")).key(&plate).header("tenant", "red").await?;
    /// assert_eq!((&*position.topic, position.offset), ("visits", 0));
    /// # pipeline.close().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// `.await` gives [`Error::Produce`] when the record is not written, or after 30 seconds may not be;
    /// [`Error::Topic`] when there is no such topic and none may be created; [`Error::Encode`].
    pub fn send<C: Contract>(&self, args: impl Fits<C::Params>) -> SendRecord {
        let value = self.arguments::<C>(&args);
        SendRecord::new(self.clone(), Cow::Borrowed(C::TOPIC), C::ENVELOPE, value)
    }

    /// Sends to a topic by its name. The value is what goes over the wire.
    ///
    /// # Errors
    /// As [`send`](Pipeline::send).
    pub fn send_value(&self, topic: impl Into<String>, value: Value) -> SendRecord {
        let topic = topic.into();
        let value = self.encoded(&topic, &value);
        SendRecord::new(self.clone(), Cow::Owned(topic), Envelope::Headers, value)
    }

    /// Runs a graph, `pipeline.run(deps! { .. }).await?`, within 30 seconds.
    ///
    /// # Errors
    /// That of the first node that failed without an `else`.
    pub async fn run<F, A, T>(&self, deps: F) -> Result<T, CallError>
    where
        F: FnOnce(Caller) -> A,
        A: Future<Output = Result<T, CallError>>,
    {
        self.run_within(WITHIN, deps).await
    }

    /// Runs a graph within a time of your own.
    ///
    /// # Errors
    /// That of the first node that failed without an `else`.
    pub async fn run_within<F, A, T>(&self, within: Duration, deps: F) -> Result<T, CallError>
    where
        F: FnOnce(Caller) -> A,
        A: Future<Output = Result<T, CallError>>,
    {
        let caller = self.caller(within);
        caller.together(deps(caller.clone())).await
    }

    /// The counters, as they are now.
    pub fn metrics(&self) -> Metrics {
        self.shared.counters.read()
    }

    /// Waits until everything that was sent is confirmed, ends what waits for answers with an error, and deletes the
    /// inbox. Other clones cannot ask any more.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`] when something that was sent is not confirmed within the configuration's `stop_limit`.
    pub async fn close(self) -> Result<(), Error> {
        let until = std::time::Instant::now() + self.shared.config.settings().stop_limit;
        self.shared.requests.close(until).await;
        Ok(self.shared.producer.close(until).await?)
    }

    fn caller(&self, within: Duration) -> Caller {
        Caller::new(self.shared.requests.route(), Instant::now() + within, 0)
    }

    fn arguments<C: Contract>(&self, args: &impl Fits<C::Params>) -> Result<Vec<u8>, Error> {
        let mut buffer = Args::new(self.shared.format);
        args.write(&mut buffer);
        buffer
            .finish(shape::<C>(), C::Params::COUNT)
            .map_err(|error| Error::Encode { topic: C::TOPIC.to_owned(), reason: error.to_string() })
    }

    fn encoded(&self, topic: &str, value: &Value) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        match self.shared.format.encode(value, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Error::Encode { topic: topic.to_owned(), reason: error.to_string() }),
        }
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
