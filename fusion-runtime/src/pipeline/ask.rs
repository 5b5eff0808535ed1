//! One question.

use std::{
    borrow::Cow,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use crate::{
    Error,
    contract::Envelope,
    dag::{CallError, Question, ReadableReply, Terms, read},
    failure::Code,
    record::Headers,
};

use super::{Pipeline, WITHIN};

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
    pub(super) fn new(
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
    pub fn key(mut self, key: impl crate::contract::KeyBytes + serde::Serialize) -> Self {
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
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

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
