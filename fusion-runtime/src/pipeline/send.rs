//! One record.

use std::{
    borrow::Cow,
    future::{Future, IntoFuture},
    pin::Pin,
};

use tokio::{sync::oneshot, time::Instant};

use crate::{
    Error,
    consume::{content_type, pairs},
    contract::Envelope,
    produce::{Outgoing, Receipt},
    record::{
        Headers, HeadersRef,
        wire::{self, HeaderBuf, RequestHeaders},
    },
};

use super::{Pipeline, Position, Shared, WITHIN};

/// A record that is about to be sent; `.await` sends it and waits until it is written.
#[must_use = "nothing is sent before the `.await`"]
#[derive(Debug)]
pub struct SendRecord {
    pipeline: Pipeline,
    topic: Cow<'static, str>,
    envelope: Envelope,
    value: Result<Vec<u8>, Error>,
    key: Option<Vec<u8>>,
    headers: Headers,
}

impl SendRecord {
    pub(super) fn new(
        pipeline: Pipeline,
        topic: Cow<'static, str>,
        envelope: Envelope,
        value: Result<Vec<u8>, Error>,
    ) -> Self {
        SendRecord { pipeline, topic, envelope, value, key: None, headers: Headers::new() }
    }

    /// The record's key, or a reference to it: records with the same key are handled in order.
    pub fn key(mut self, key: impl crate::contract::KeyBytes + serde::Serialize) -> Self {
        self.key = key.to_key();
        self
    }

    /// Adds a header of your own.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    async fn send(self) -> Result<Position, Error> {
        let SendRecord { pipeline, topic, envelope, value, key, headers } = self;
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

impl IntoFuture for SendRecord {
    type Output = Result<Position, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
