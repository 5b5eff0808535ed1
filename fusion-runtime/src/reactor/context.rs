//! The hand-ins that come with fusion.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    contract::KeyBytes,
    failure::{Code, Failure},
};

use super::{HandIn, Run};

/// Where the record of this run came from, and how much time is left for it.
///
/// A handler with `window!` runs for no record but a window: for it this is the place in the window's log at which it
/// fired, and the timestamp that its result has.
///
/// ```
/// use fusion::prelude::*;
///
/// #[reactor(topic = "audit")]
/// fn audit(entry: String, cx: Context) -> String {
///     format!("{}[{}]@{}: {entry}", cx.topic(), cx.partition(), cx.offset())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    pub(crate) reactor: &'static str,
    pub(crate) topic: TopicName,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: Option<i64>,
    pub(crate) attempt: u32,
    pub(crate) hops: u32,
    /// `None` of a record that a window gathers, since nothing runs.
    pub(crate) deadline: Option<tokio::time::Instant>,
}

/// The name of a record's topic.
#[derive(Clone, Debug)]
pub(crate) enum TopicName {
    /// It stands in the source.
    Declared(&'static str),
    Read(Arc<str>),
}

impl Context {
    /// Of a record that a window gathers. It has no run of its own, so no end either. Where nobody looks at it, nothing is
    /// left of it: there is one for each record.
    #[inline]
    pub(crate) fn gathered(
        reactor: &'static str,
        topic: &'static str,
        partition: i32,
        offset: i64,
        timestamp: Option<i64>,
    ) -> Self {
        let topic = TopicName::Declared(topic);
        Context { reactor, topic, partition, offset, timestamp, attempt: 1, hops: 0, deadline: None }
    }

    /// The reactor's name.
    pub fn reactor(&self) -> &'static str {
        self.reactor
    }

    /// The record's topic.
    pub fn topic(&self) -> &str {
        match &self.topic {
            TopicName::Declared(name) => name,
            TopicName::Read(name) => name,
        }
    }

    /// The record's partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The record's offset.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The record's time, if it has one.
    pub fn timestamp(&self) -> Option<SystemTime> {
        let millis = u64::try_from(self.timestamp?).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// Which run of this record it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How many requests led here; 0 for a record that nobody waits for.
    pub fn hops(&self) -> u32 {
        self.hops
    }

    /// The time left until this run is given up: the reactor's `within`, or less if the caller waits for less.
    pub fn remaining(&self) -> Duration {
        self.deadline
            .map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(tokio::time::Instant::now()))
    }
}

impl HandIn for Context {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        Ok(Context {
            reactor: run.reactor,
            topic: TopicName::Read(run.record.topic.into()),
            partition: run.record.partition,
            offset: run.record.offset,
            timestamp: run.record.timestamp,
            attempt: run.attempt,
            hops: run.hops,
            deadline: Some(run.deadline),
        })
    }
}

/// The record's key. `Key<Option<K>>` accepts records without one. For a `Key<K>`, a record without a key, or with one
/// that is no `K`, is a failure with code `decode`.
///
/// ```
/// use fusion::prelude::*;
///
/// #[reactor(topic = "visits")]
/// fn visits(car: Key<String>, place: String) -> String {
///     format!("{} was at {place}", *car)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key<K>(pub K);

impl<K> Deref for Key<K> {
    type Target = K;
    fn deref(&self) -> &K {
        &self.0
    }
}

impl<K: KeyBytes + serde::de::DeserializeOwned + Send + 'static> HandIn for Key<K> {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        K::from_key(run.record.key).map(Key).map_err(|error| Failure::new(Code::Decode, error.to_string()))
    }
}

/// Something all runs share: what `.state(..)` gave to the app. A clone is cheap.
///
/// ```
/// use fusion::prelude::*;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[reactor(topic = "ticket")]
/// fn ticket(counter: State<AtomicU64>) -> u64 {
///     counter.fetch_add(1, Ordering::Relaxed)
/// }
/// ```
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// Wraps a value, to call a handler in a test.
    pub fn new(value: T) -> Self {
        State(Arc::new(value))
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        State(self.0.clone())
    }
}

impl<T> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> HandIn for State<T> {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        // `App::reactors` checks by type that the app provides it.
        let missing = || {
            let state = std::any::type_name::<T>();
            Failure::new(Code::Handler, format!("the app provides no `{state}`")).not_retryable()
        };
        run.state.get().map(State).ok_or_else(missing)
    }
}
