//! Parameters that only fusion makes otherwise.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::{
    dag::Sent,
    reactor::{Context, TopicName},
    record::codec::{Codec, Format},
};

use super::run::millis;

/// A [`Context`] to call a handler with: the first attempt at offset 0 of partition 0 of a topic `test`, with 30
/// seconds left, unless the test says otherwise.
///
/// ```
/// use fusion::{prelude::*, testing};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// #[reactor(topic = "audit")]
/// fn audit(entry: String, cx: Context) -> String {
///     format!("{}[{}]@{}: {entry}, attempt {}", cx.topic(), cx.partition(), cx.offset(), cx.attempt())
/// }
///
/// let cx = testing::context().topic("audit").partition(1).offset(41).attempt(2).build();
/// assert_eq!(audit("opened".into(), cx), "audit[1]@41: opened, attempt 2");
///
/// let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let cx = testing::context().timestamp(time).hops(3).remaining(Duration::ZERO).reactor("audit").build();
/// assert_eq!((cx.timestamp(), cx.hops(), cx.remaining()), (Some(time), 3, Duration::ZERO));
/// assert_eq!(cx.reactor(), "audit");
/// ```
pub fn context() -> ContextBuilder {
    ContextBuilder {
        reactor: "test",
        topic: Arc::from("test"),
        partition: 0,
        offset: 0,
        timestamp: None,
        attempt: 1,
        hops: 0,
        remaining: Duration::from_secs(30),
    }
}

/// Makes a [`Context`]; [`context`] begins.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `.build()`"]
pub struct ContextBuilder {
    reactor: &'static str,
    topic: Arc<str>,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    attempt: u32,
    hops: u32,
    remaining: Duration,
}

impl ContextBuilder {
    /// The reactor's name.
    pub fn reactor(mut self, name: &'static str) -> Self {
        self.reactor = name;
        self
    }

    /// The record's topic.
    pub fn topic(mut self, topic: impl Into<Arc<str>>) -> Self {
        self.topic = topic.into();
        self
    }

    /// The record's partition.
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = partition;
        self
    }

    /// The record's offset.
    pub fn offset(mut self, offset: i64) -> Self {
        self.offset = offset;
        self
    }

    /// The record's time, to the millisecond; without it, the record has none.
    pub fn timestamp(mut self, time: SystemTime) -> Self {
        self.timestamp = Some(millis(time));
        self
    }

    /// Which run of the record it is, from 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// How many requests led here.
    pub fn hops(mut self, hops: u32) -> Self {
        self.hops = hops;
        self
    }

    /// The time left, counted from [`build`](ContextBuilder::build).
    pub fn remaining(mut self, remaining: Duration) -> Self {
        self.remaining = remaining;
        self
    }

    /// The context.
    pub fn build(self) -> Context {
        let ContextBuilder { reactor, topic, partition, offset, timestamp, attempt, hops, remaining } = self;
        let deadline = tokio::time::Instant::now() + remaining;
        let (topic, deadline) = (TopicName::Read(topic), Some(deadline));
        Context { reactor, topic, partition, offset, timestamp, attempt, hops, deadline }
    }
}

/// The request behind an [`Answer`](crate::dag::Answer), to call a handler with: written to offset 0 of partition 0,
/// without arguments, answered at once, unless the test says otherwise.
///
/// ```
/// use fusion::{prelude::*, testing};
/// use std::time::Duration;
///
/// #[contract(topic = "add")]
/// fn add(numbers: Vec<i64>) -> i64;
///
/// #[reactor(topic = "explain", deps! < sum: "add"(1, 2) >)]
/// fn explain(sum: Answer<i64>) -> String {
///     let Some(sent) = sum.sent else { return "nobody was asked".into() };
///     format!("{}[{}]@{}: {} is {}", sent.topic, sent.partition, sent.offset, sent.arguments(), sum.value)
/// }
///
/// let sent = testing::sent("add").partition(2).offset(7).arguments(&[1, 2]);
/// let sent = sent.elapsed(Duration::from_millis(5)).build();
/// assert_eq!(explain(Answer { value: 3, sent: Some(sent) }), "add[2]@7: [1,2] is 3");
/// ```
pub fn sent(topic: &'static str) -> SentBuilder {
    SentBuilder(Sent {
        topic,
        partition: 0,
        offset: 0,
        elapsed: Duration::ZERO,
        arguments: Format::Json.null().to_vec(),
        format: Format::Json,
    })
}

/// Makes a [`Sent`]; [`sent`] begins.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing before `.build()`"]
pub struct SentBuilder(Sent);

impl SentBuilder {
    /// The partition that the request was written to.
    pub fn partition(mut self, partition: i32) -> Self {
        self.0.partition = partition;
        self
    }

    /// The request's offset there.
    pub fn offset(mut self, offset: i64) -> Self {
        self.0.offset = offset;
        self
    }

    /// The time from the first attempt to the answer.
    pub fn elapsed(mut self, elapsed: Duration) -> Self {
        self.0.elapsed = elapsed;
        self
    }

    /// The arguments as they went over the wire: one value, or an array of several.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    pub fn arguments(mut self, arguments: &(impl Serialize + ?Sized)) -> Self {
        let mut bytes = Vec::new();
        if let Err(error) = Format::Json.encode(arguments, &mut bytes) {
            panic!("{error}");
        }
        self.0.arguments = bytes;
        self
    }

    /// The request.
    pub fn build(self) -> Sent {
        self.0
    }
}
