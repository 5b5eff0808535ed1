//! The runs of a handler: the first, and those that follow if it fails.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    consume::{self, Ran, Seat, Started},
    dag::Caller,
    failure::{Code, Failure},
    observe::Count,
    reactor::Run,
    record::{HeadersRef, RecordRef},
    window::WindowReactor,
};

use super::{Env, Fired, spare};

/// What the handler is handed in: its record is the window itself.
pub(super) fn hand_ins<W: WindowReactor>(
    env: &Env,
    fired: &Fired,
    attempt: u32,
    until: Instant,
    caller: Option<&Caller>,
) -> Result<W::HandIns, Failure> {
    consume::hand_ins(&Run {
        record: RecordRef {
            topic: &env.topic,
            partition: env.partition,
            offset: fired.cause,
            timestamp: Some(fired.timestamp),
            key: Some(&fired.key),
            value: None,
            headers: HeadersRef::Empty,
        },
        reactor: env.declared.spec.name,
        attempt,
        hops: 0,
        deadline: until,
        state: &env.core.state,
        caller,
        window: Some(fired.window),
    })
}

/// A run that did not end at once, and those that follow if it fails.
pub(super) struct Attempts<W: WindowReactor, F> {
    pub(super) handler: fn(W::Gathered, W::HandIns) -> F,
    pub(super) env: Arc<Env>,
    pub(super) fired: Fired,
    pub(super) caller: Option<Caller>,
}

impl<W, F> Attempts<W, F>
where
    W: WindowReactor,
    F: Future<Output = Result<W::Value, Failure>> + Send + 'static,
{
    /// Goes on with a first run.
    pub(super) async fn run(
        self,
        first: Started,
        spare: Option<W::Gathered>,
        until: Instant,
    ) -> (Fired, Ran) {
        let ran = self.wait(first, until).await;
        self.repeat(ran, spare).await
    }

    /// Begins with the first run, too.
    pub(super) async fn run_all(self, gathered: W::Gathered, spare: Option<W::Gathered>) -> (Fired, Ran) {
        let ran = self.again(gathered, 1).await;
        self.repeat(ran, spare).await
    }

    async fn repeat(self, mut ran: Ran, mut spare: Option<W::Gathered>) -> (Fired, Ran) {
        let counters = self.env.core.counters.clone();
        let mut attempt = 1;
        while let Err(failure) = &ran {
            let retry = self.env.declared.spec.retry;
            if !failure.is_retryable() || attempt > retry {
                break;
            }
            // Those that are not `Clone` have one attempt.
            let Some(gathered) = spare.take() else { break };
            if attempt < retry {
                spare = self::spare::<W>(&self.env, &gathered);
            }
            if *failure.code() == Code::Panic {
                counters.one(Count::Panics);
            }
            let spread = (self.fired.cause.cast_unsigned() ^ u64::from(attempt)) % 1_000;
            sleep_until(Instant::now() + self.env.core.back_off.delay(attempt, spread as f64 / 1_000.0))
                .await;
            counters.one(Count::Retries);
            attempt += 1;
            ran = self.again(gathered, attempt).await;
        }
        (self.fired, ran)
    }

    async fn again(&self, gathered: W::Gathered, attempt: u32) -> Ran {
        let until = Instant::now() + self.env.declared.spec.within;
        let caller = self.caller.as_ref().map(|caller| caller.until(until));
        let hand_ins = hand_ins::<W>(&self.env, &self.fired, attempt, until, caller.as_ref())?;
        let mut call = Some((gathered, hand_ins));
        let mut seat = Seat::new();
        let started = poll_fn(|cx| {
            let Some((gathered, hand_ins)) = call.take() else { return Poll::Pending };
            Poll::Ready(seat.start(|| (self.handler)(gathered, hand_ins), self.env.encode(), cx))
        })
        .await;
        self.wait(started, until).await
    }

    async fn wait(&self, started: Started, until: Instant) -> Ran {
        let running = match started {
            Started::Done(ran) => return ran,
            Started::Pending(running) => running,
        };
        timeout_at(until, running).await.unwrap_or_else(|_| {
            self.env.core.counters.one(Count::TimedOut);
            let within = self.env.declared.spec.within;
            Err(Failure::new(Code::Timeout, format!("the handler did not end before `within` of {within:?}")))
        })
    }
}
