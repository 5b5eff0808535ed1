//! One run of a reactor in a test.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::{
    consume::{Input, read},
    contract::KeyBytes,
    dag::Caller,
    failure::{Code, Failure},
    reactor::{HandIns as _, Reactor, Run},
    record::{Record, codec::Format},
};

use super::doubles::Doubles;

/// A run that is about to begin; `.await` runs it. [`Tester::run`](super::Tester::run) makes one.
///
/// It is the first attempt at a record of partition 0, offset 0, without key, headers or time, unless the test says
/// otherwise. There is one attempt: what would be retried is seen by the test.
///
/// ```
/// use fusion::{prelude::*, testing::Tester};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// #[reactor(topic = "visits")]
/// fn visits(place: String, car: Key<String>, headers: Headers, cx: Context) -> String {
///     let tenant = headers.get_str("tenant").unwrap_or("nobody");
///     format!("{} of {tenant} in {place}, attempt {} at {}", *car, cx.attempt(), cx.offset())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tester = Tester::new();
/// let run = tester.run::<visits>(("Lisbon",)).key(&"AA-01-BB".to_owned()).header("tenant", "red");
/// let run = run.partition(2).offset(17).attempt(3).hops(1).within(Duration::from_secs(1));
/// let run = run.timestamp(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
/// assert_eq!(run.await.unwrap(), "AA-01-BB of red in Lisbon, attempt 3 at 17");
/// # }
/// ```
#[must_use = "nothing runs before the `.await`"]
pub struct TestRun<T> {
    reactor: &'static str,
    run: fn(Self) -> Running<T>,
    doubles: Arc<Doubles>,
    record: Result<Record, Failure>,
    attempt: u32,
    hops: u32,
    within: Duration,
}

type Running<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

impl<T: 'static> TestRun<T> {
    pub(super) fn new<R: Reactor<Value = T>>(doubles: Arc<Doubles>, value: Result<Vec<u8>, Failure>) -> Self {
        let record = value.map(|value| Record {
            topic: R::SPEC.topic.to_owned(),
            value: Some(value),
            ..Record::default()
        });
        TestRun {
            reactor: R::SPEC.name,
            run: |run| Box::pin(run.run::<R>()),
            doubles,
            record,
            attempt: 1,
            hops: 0,
            within: R::SPEC.within,
        }
    }

    fn record(mut self, change: impl FnOnce(&mut Record)) -> Self {
        if let Ok(record) = &mut self.record {
            change(record);
        }
        self
    }

    /// The record's key.
    pub fn key(self, key: &(impl KeyBytes + Serialize)) -> Self {
        self.record(|record| record.key = key.to_key())
    }

    /// Adds a header.
    pub fn header(self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.record(|record| record.headers.push(name, value))
    }

    /// The record's partition. Default 0.
    pub fn partition(self, partition: i32) -> Self {
        self.record(|record| record.partition = partition)
    }

    /// The record's offset. Default 0.
    pub fn offset(self, offset: i64) -> Self {
        self.record(|record| record.offset = offset)
    }

    /// The record's time. Default none.
    pub fn timestamp(self, time: SystemTime) -> Self {
        self.record(|record| record.timestamp = Some(millis(time)))
    }

    /// Which run of the record it is, from 1. Default 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// How many requests led here. Default 0.
    pub fn hops(mut self, hops: u32) -> Self {
        self.hops = hops;
        self
    }

    /// Bounds the run, graph included. Default the reactor's own `within`.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    async fn run<R: Reactor<Value = T>>(self) -> Result<T, Failure> {
        let TestRun { doubles, record, attempt, hops, within, .. } = self;
        let record = record?;
        let deadline = Instant::now() + within;
        let caller = Caller::new(doubles.clone(), deadline, hops);
        let input = Input { value: record.value.as_deref(), format: Format::Json };
        let payload = read::<R>(input)?;
        let hand_ins = R::HandIns::hand_in(&Run {
            record: record.as_ref(),
            reactor: R::SPEC.name,
            attempt,
            hops,
            deadline,
            state: &doubles.state,
            caller: Some(&caller),
            window: None,
        })?;
        timeout_at(deadline, R::run(payload, hand_ins)).await.unwrap_or_else(|_| {
            let message = format!("the handler did not end before `within` of {within:?}");
            Err(Failure::new(Code::Timeout, message))
        })
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl<T: 'static> IntoFuture for TestRun<T> {
    type Output = Result<T, Failure>;
    type IntoFuture = Running<T>;

    fn into_future(self) -> Running<T> {
        (self.run)(self)
    }
}

impl<T> std::fmt::Debug for TestRun<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestRun")
            .field("reactor", &self.reactor)
            .field("record", &self.record)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
