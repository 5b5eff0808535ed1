//! What can go wrong with an app or a pipeline as a whole.

use std::sync::Arc;

use rdkafka::error::KafkaError;

use crate::{
    broker::{ConfigError, TopicError},
    dag::CallError,
    produce::{ProduceError, Unflushed, transactions::TransactionError},
};

/// Why an app or a pipeline did not start, stopped, or could not do what it was asked.
///
/// ```
/// use fusion::{Error, prelude::*};
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// let error = App::new("idle", Config::embedded()?).start().await.unwrap_err();
/// assert!(matches!(error, Error::NoReactors { .. }));
///
/// // Sending and asking have errors of their own, which `?` turns into this one.
/// async fn sum(pipeline: &Pipeline) -> fusion::Result<i64> {
///     Ok(pipeline.ask_value("add", serde_json::json!([1, 2])).await?.as_i64().unwrap_or_default())
/// }
/// # let _ = sum;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A topic is missing, or no broker answered.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A record was not delivered.
    #[error(transparent)]
    Produce(#[from] ProduceError),
    /// The brokers did not confirm everything that a pipeline sent before it was closed.
    #[error("{records} records were not confirmed within the `stop_limit`, and may not have arrived")]
    Unconfirmed {
        /// How many.
        records: usize,
    },
    /// Results of windows could not be committed.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// A request was not answered.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An app without reactors has nothing to do.
    #[error("the app `{app}` has no reactors: add some with `.reactors(reactors![..])`")]
    NoReactors {
        /// The app's name.
        app: String,
    },
    /// Two calls of `reactors` brought reactors for one topic, or of one name.
    #[error("the app `{app}` has two reactors for the {what} `{name}`")]
    Twice {
        /// The app's name.
        app: String,
        /// `topic` or `name`.
        what: &'static str,
        /// What they share.
        name: String,
    },
    /// A value could not be written in the app's format.
    #[error("the arguments for topic `{topic}` cannot be encoded: {reason}")]
    Encode {
        /// Where they were to go.
        topic: String,
        /// What is wrong with them.
        reason: String,
    },
    /// librdkafka refused a call.
    #[error("the {client} cannot go on: {error}")]
    Client {
        /// Which client.
        client: &'static str,
        /// What it said.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// librdkafka says that a client cannot be used any more.
    #[error("the {client} cannot go on: {reason}")]
    Fatal {
        /// Which client.
        client: &'static str,
        /// What it said.
        reason: String,
    },
    /// The log does not hold the record that comes next any more, or not yet.
    #[error(
        "the next record of topic `{topic}`, partition {partition}, is at offset {offset}, but the log has {start} to \
         {end}: records were deleted before they were handled, or the topic was created anew. To go on without those that \
         were deleted set `on_gap` to `Partial`; otherwise reset the group's offset"
    )]
    Gap {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The next offset.
        offset: i64,
        /// The first offset that the log has; -1: not known.
        start: i64,
        /// The offset behind the last one; -1: not known.
        end: i64,
    },
    /// A window does not fit its topics, its log or the configuration, so the app does not start.
    #[error("the window `{name}` cannot start: {reason}")]
    WindowStart {
        /// The reactor's name.
        name: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A partition cannot be gathered.
    #[error("the window `{name}` cannot go on in partition {partition}, at offset {offset}: {reason}")]
    Window {
        /// The reactor's name.
        name: &'static str,
        /// The partition of its log, or of its sources: a `copartitioned` window has no log.
        partition: i32,
        /// The record, or the one that comes next.
        offset: i64,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A topic is served by a reactor and gathered by a copartitioned window.
    #[error(
        "the app `{app}` serves the topic `{topic}` with the reactor `{reactor}` and gathers it in the window `{window}`, \
         which is `copartitioned` and commits the topic by what its open windows need: remove `copartitioned`, or put one \
         of them into an app of its own"
    )]
    ServedAndGathered {
        /// The app's name.
        app: String,
        /// The topic.
        topic: String,
        /// The reactor.
        reactor: &'static str,
        /// The window.
        window: &'static str,
    },
    /// A copartitioned window shares a source.
    #[error(
        "the app `{app}` gathers a source of its copartitioned window `{window}` in `{other}`, too: put one of them into \
         an app of its own"
    )]
    NotAlone {
        /// The app's name.
        app: String,
        /// The copartitioned window.
        window: &'static str,
        /// The other one.
        other: &'static str,
    },
    /// The system gave no thread.
    #[error("no thread for the {name}: {error}")]
    Thread {
        /// What it was for.
        name: &'static str,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// It has been shut down.
    #[error("it has been shut down")]
    Stopped,
    /// What ended an app that others hold too.
    #[error(transparent)]
    Shared(Arc<Error>),
}

impl From<Unflushed> for Error {
    fn from(Unflushed { records }: Unflushed) -> Self {
        Error::Unconfirmed { records }
    }
}

impl Error {
    pub(crate) fn client(client: &'static str, error: KafkaError) -> Self {
        Error::Client { client, error: error.into() }
    }
}

/// A result whose error is [`Error`], unless said otherwise: `async fn main() -> fusion::Result<()>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
