//! Asking and sending from anywhere: a web handler, a job, a test.

use std::{
    borrow::Cow,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Error,
    broker::Config,
    consume::{content_type, pairs},
    contract::{Answers, Args, Contract, Envelope, Fits, KeyBytes, Wire},
    dag::{CallError, Caller, Question, ReadableReply, Terms, read, shape},
    failure::Code,
    observe::{Counters, Metrics},
    produce::{Outgoing, Producer, Receipt},
    record::{
        Headers, HeadersRef,
        codec::{Codec, Format},
        wire::{self, HeaderBuf, RequestHeaders},
    },
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

    /// Asks the topic of contract `C` and waits for the answer: `pipeline.ask::<add>((1, 2, 3)).await?`.
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
    pub fn ask<C: Answers>(&self, args: impl Fits<C::Params>) -> Ask<C::Reply> {
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
    pub fn send<C: Contract>(&self, args: impl Fits<C::Params>) -> Send {
        let value = self.arguments::<C>(&args);
        Send::new(self.clone(), Cow::Borrowed(C::TOPIC), C::ENVELOPE, value)
    }

    /// Sends to a topic by its name. The value is what goes over the wire.
    ///
    /// # Errors
    /// As [`send`](Pipeline::send).
    pub fn send_value(&self, topic: impl Into<String>, value: Value) -> Send {
        let topic = topic.into();
        let value = self.encoded(&topic, &value);
        Send::new(self.clone(), Cow::Owned(topic), Envelope::Headers, value)
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
        deps(self.caller(within)).await
    }

    /// The counters, as they are now.
    pub fn metrics(&self) -> Metrics {
        self.shared.counters.read()
    }

    /// Waits until everything that was sent is confirmed, ends what waits for answers with an error, and deletes the
    /// inbox. Other clones cannot ask any more.
    ///
    /// # Errors
    /// When something that was sent is not confirmed within the configuration's `stop_limit`.
    pub async fn close(self) -> Result<(), Error> {
        let until = std::time::Instant::now() + self.shared.config.settings().stop_limit;
        self.shared.requests.close(until).await;
        let unsent = |_| Error::Stopped;
        self.shared.producer.close(until).await.map_err(unsent)
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

/// A question that is about to be asked; `.await` asks it. [`Pipeline::ask`] makes one.
///
/// ```
/// use fusion::{Code, prelude::*};
/// use std::time::Duration;
///
/// #[contract(topic = "nobody_serves_this")]
/// fn ask_nobody() -> String;
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// # let pipeline = Pipeline::connect("caller", Config::embedded()?).await?;
/// let asked = pipeline.ask::<ask_nobody>(()).within(Duration::from_millis(50));
/// assert_eq!(asked.await.unwrap_err().code(), &Code::Timeout);
/// # pipeline.close().await
/// # }
/// ```
#[must_use = "nothing is asked before the `.await`"]
#[derive(Debug)]
pub struct Ask<T> {
    pipeline: Pipeline,
    topic: Cow<'static, str>,
    envelope: Envelope,
    value: Result<Vec<u8>, Error>,
    key: Option<Vec<u8>>,
    headers: Headers,
    within: Duration,
    retry: u32,
    reply: std::marker::PhantomData<fn() -> T>,
}

impl<T> Ask<T> {
    fn new(
        pipeline: Pipeline,
        topic: Cow<'static, str>,
        envelope: Envelope,
        value: Result<Vec<u8>, Error>,
    ) -> Self {
        let (key, headers) = (None, Headers::new());
        Ask {
            pipeline,
            topic,
            envelope,
            value,
            key,
            headers,
            within: WITHIN,
            retry: 0,
            reply: std::marker::PhantomData,
        }
    }

    /// Bounds the request with all its attempts. Default 30 seconds.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Further attempts after a time-out or an error that says it is retryable. Default none.
    pub fn retry(mut self, attempts: u32) -> Self {
        self.retry = attempts;
        self
    }

    /// The record's key, or a reference to it: requests with the same key are answered one after the other.
    pub fn key(mut self, key: impl KeyBytes + serde::Serialize) -> Self {
        self.key = key.to_key();
        self
    }

    /// Adds a header of your own.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }
}

impl<T: ReadableReply> IntoFuture for Ask<T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + std::marker::Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Ask { pipeline, topic, envelope, value, key, headers, within, retry, .. } = self;
            let value = value.map_err(|error| CallError::new(Code::Decode, &*topic, error.to_string()))?;
            let name = topic.clone();
            let terms = Terms::node(0).retry(retry);
            let question = Question { topic, key, value, headers, envelope, terms };
            let answered = pipeline.caller(within).put(question).await?;
            read(&name, &answered.reply)
        })
    }
}

/// A record that is about to be sent; `.await` sends it and waits until it is written.
#[must_use = "nothing is sent before the `.await`"]
#[derive(Debug)]
pub struct Send {
    pipeline: Pipeline,
    topic: Cow<'static, str>,
    envelope: Envelope,
    value: Result<Vec<u8>, Error>,
    key: Option<Vec<u8>>,
    headers: Headers,
}

impl Send {
    fn new(
        pipeline: Pipeline,
        topic: Cow<'static, str>,
        envelope: Envelope,
        value: Result<Vec<u8>, Error>,
    ) -> Self {
        Send { pipeline, topic, envelope, value, key: None, headers: Headers::new() }
    }

    /// The record's key, or a reference to it: records with the same key are handled in order.
    pub fn key(mut self, key: impl KeyBytes + serde::Serialize) -> Self {
        self.key = key.to_key();
        self
    }

    /// Adds a header of your own.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    async fn send(self) -> Result<Position, Error> {
        let Send { pipeline, topic, envelope, value, key, headers } = self;
        let Shared { requests, producer, format, .. } = &*pipeline.shared;
        let mut value = value?;
        requests.ensure(&topic).await?;
        let mut buffer = HeaderBuf::new();
        buffer.copy(HeadersRef::from(&headers));
        buffer.request(&RequestHeaders { content_type: content_type(*format), ..RequestHeaders::default() });
        if envelope == Envelope::Json {
            let mut enveloped = Vec::new();
            wire::Envelope { data: &value, return_topic: None }.write(&mut enveloped);
            value = enveloped;
        }
        let headers = pairs(&buffer);
        let record =
            Outgoing { key: key.as_deref(), value: Some(&value), headers: &headers, ..Outgoing::to(&topic) };
        let (tell, told) = oneshot::channel();
        producer.send_when_ready(record, Receipt::Tell(tell), Instant::now() + WITHIN).await?;
        let delivered = told.await.map_err(|_| Error::Stopped)??;
        Ok(Position { topic: topic.into_owned(), partition: delivered.partition, offset: delivered.offset })
    }
}

impl IntoFuture for Send {
    type Output = Result<Position, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + std::marker::Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
