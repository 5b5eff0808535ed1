//! Asking: attempts, deadlines, and what outlives them.

use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use crate::{
    contract::{Args, Contract, Envelope, Topic, Wire},
    failure::{Code, RetryPolicy},
    record::{
        Headers,
        codec::{Codec, Shape},
    },
};

use super::{
    CallError, Reply, Request, Route, Sent, Stored,
    hold::Held,
    memo::{Memo, Remembered},
    request::Delivered,
};

/// Asks on behalf of one run: a record's, or one of `Pipeline::run`.
///
/// It carries what all requests of the run have in common: the deadline, the number of hops so far, and the
/// answers that a retry of the run need not ask for again.
#[derive(Clone)]
pub struct Caller {
    run: Arc<Run>,
}

struct Run {
    route: Arc<dyn Route>,
    deadline: Instant,
    hops: u32,
    traceparent: Option<String>,
    back_off: RetryPolicy,
    memo: Memo,
    held: Held,
}

/// How a node asks.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    node: u32,
    item: u32,
    within: Option<Duration>,
    retry: u32,
    tell: bool,
}

impl Terms {
    /// The terms of the node at this place of its graph: until the run's deadline, once.
    pub const fn node(node: u32) -> Self {
        Terms { node, item: 0, within: None, retry: 0, tell: false }
    }

    /// The place of an item in `for`.
    #[must_use]
    pub const fn item(mut self, item: u32) -> Self {
        self.item = item;
        self
    }

    /// Bounds the request with all its attempts.
    #[must_use]
    pub const fn within(mut self, milliseconds: u64) -> Self {
        self.within = Some(Duration::from_millis(milliseconds));
        self
    }

    /// Further attempts after a time-out or an error that says it is retryable.
    #[must_use]
    pub const fn retry(mut self, attempts: u32) -> Self {
        self.retry = attempts;
        self
    }

    /// Whether the request is wanted with the answer.
    #[must_use]
    pub const fn tell(mut self, tell: bool) -> Self {
        self.tell = tell;
        self
    }
}

/// One question, with everything that its attempts share.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) topic: Cow<'static, str>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: Headers,
    pub(crate) envelope: Envelope,
    pub(crate) terms: Terms,
}

/// What came back.
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    pub(crate) delivered: Option<Delivered>,
    pub(crate) elapsed: Duration,
    pub(crate) value: Vec<u8>,
}

impl Caller {
    /// A caller whose requests go over `route`. `hops` is the number of requests that led here.
    pub fn new(route: Arc<dyn Route>, deadline: Instant, hops: u32) -> Self {
        Caller {
            run: Arc::new(Run {
                route,
                deadline,
                hops,
                traceparent: None,
                back_off: RetryPolicy::default(),
                memo: Memo::default(),
                held: Held::default(),
            }),
        }
    }

    /// With the app's own pauses between attempts.
    #[must_use]
    pub(crate) fn with_back_off(mut self, back_off: RetryPolicy) -> Self {
        if let Some(run) = Arc::get_mut(&mut self.run) {
            run.back_off = back_off;
        }
        self
    }

    /// With the trace that its requests belong to.
    #[must_use]
    pub(crate) fn traced(mut self, traceparent: Option<String>) -> Self {
        if let Some(run) = Arc::get_mut(&mut self.run) {
            run.traceparent = traceparent;
        }
        self
    }

    /// The same run with another deadline: a further attempt of a run without a caller's.
    #[must_use]
    pub(crate) fn until(&self, deadline: Instant) -> Self {
        let Run { route, hops, traceparent, back_off, .. } = &*self.run;
        let memo = self.run.memo.clone();
        Caller {
            run: Arc::new(Run {
                route: route.clone(),
                deadline,
                hops: *hops,
                traceparent: traceparent.clone(),
                back_off: *back_off,
                memo,
                held: Held::default(),
            }),
        }
    }

    pub(super) fn route(&self) -> &dyn Route {
        &*self.run.route
    }

    pub(super) fn held(&self) -> &Held {
        &self.run.held
    }

    /// Room for a request's arguments.
    pub fn args(&self) -> Args {
        Args::new(self.run.route.format())
    }

    /// Asks, as often as the terms allow, and reads the answer.
    pub fn ask<C: Contract>(
        &self,
        topic: Topic<C>,
        args: Args,
        terms: Terms,
    ) -> impl Future<Output = Result<Stored<C::Reply>, CallError>> + Send + use<C>
    where
        C::Reply: ReadableReply,
    {
        let run = self.run.clone();
        async move {
            let name = topic.name();
            let value = args
                .finish(shape::<C>(), C::Params::COUNT)
                .map_err(|error| CallError::new(Code::Decode, name, error.to_string()))?;
            let question = Question {
                topic: Cow::Borrowed(name),
                key: None,
                value,
                headers: Headers::new(),
                envelope: C::ENVELOPE,
                terms,
            };
            let answered = run.exchange(question).await?;
            let value = read(name, &answered.reply)?;
            let sent = answered.delivered.filter(|_| terms.tell).map(|delivered| Sent {
                topic: name,
                partition: delivered.partition,
                offset: delivered.offset,
                elapsed: answered.elapsed,
                arguments: answered.value,
                format: run.route.format(),
            });
            Ok(Stored::answered(value, sent))
        }
    }

    /// Asks a question that is already written down.
    pub(crate) async fn put(&self, question: Question) -> Result<Answered, CallError> {
        self.run.exchange(question).await
    }
}

/// The form in which the arguments of `C` are written: fusion-clj always has an array.
pub(crate) const fn shape<C: Contract>() -> Shape {
    match C::ENVELOPE {
        Envelope::Headers => C::Params::SHAPE,
        Envelope::Json => Shape::List,
    }
}

/// A reply's value.
pub(crate) fn read<T: DeserializeOwned>(topic: &str, reply: &Reply) -> Result<T, CallError> {
    reply.format.decode(&reply.value).map_err(|error| {
        let expected = std::any::type_name::<T>();
        CallError::new(Code::Decode, topic, format!("the answer is not a `{expected}`: {error}"))
    })
}

impl Run {
    async fn exchange(&self, question: Question) -> Result<Answered, CallError> {
        let Terms { node, item, within, retry, tell } = question.terms;
        let started = Instant::now();
        if let Some(known) = self.memo.recall(node, item, &question.value) {
            let Remembered { arguments, reply, delivered } = known;
            return Ok(Answered { reply, delivered, elapsed: Duration::ZERO, value: arguments });
        }
        let deadline = within.map_or(self.deadline, |within| self.deadline.min(started + within));
        let share = deadline.saturating_duration_since(started) / (retry + 1);
        let mut id = self.route.id();
        let mut attempt = 0;
        loop {
            attempt += 1;
            // The last attempt has whatever the back-off left of the earlier ones.
            let until = if attempt > retry { deadline } else { deadline.min(Instant::now() + share) };
            let request = Request {
                topic: question.topic.clone(),
                key: question.key.clone(),
                value: question.value.clone(),
                headers: question.headers.clone(),
                envelope: question.envelope,
                id,
                deadline: until,
                hops: self.hops + 1,
                traceparent: self.traceparent.clone(),
                tell_delivery: tell,
            };
            let mut pending = self.held.send(&*self.route, request);
            let error = match timeout_at(until, &mut pending).await {
                Ok(Some(Ok(reply))) => {
                    // The reply may be quicker than the acknowledgement of the request.
                    let delivered =
                        if tell { timeout_at(until, pending.delivered()).await.ok().flatten() } else { None };
                    self.memo.remember(
                        node,
                        item,
                        Remembered { arguments: question.value.clone(), reply: reply.clone(), delivered },
                    );
                    return Ok(Answered {
                        reply,
                        delivered,
                        elapsed: started.elapsed(),
                        value: question.value,
                    });
                }
                Ok(Some(Err(error))) => {
                    // An error is an answer too: the next attempt is a new question.
                    id = self.route.id();
                    error
                }
                Ok(None) => {
                    CallError::new(Code::Handler, &*question.topic, "the app or pipeline has been shut down")
                        .with_retryable(false)
                }
                Err(_) => CallError::new(
                    Code::Timeout,
                    &*question.topic,
                    format!("no answer within {:?}", started.elapsed()),
                ),
            };
            if attempt > retry || !error.is_retryable() || Instant::now() >= deadline {
                return Err(error);
            }
            if *error.code() != Code::Timeout {
                let pause = self.back_off.delay(attempt, jitter(id));
                sleep_until(deadline.min(Instant::now() + pause)).await;
            }
        }
    }
}

/// A number in `0..1` for the back-off, out of an id, which differs from every other.
fn jitter(id: Uuid) -> f64 {
    let mixed = (id.as_u128() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// An answer that can be read, in our words.
#[diagnostic::on_unimplemented(
    message = "the answer `{Self}` cannot be read from a reply",
    label = "not `Deserialize`, `Send`, `Sync` and `'static`",
    note = "derive it: `#[derive(serde::Deserialize)]`"
)]
pub trait ReadableReply: DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + Sync + 'static> ReadableReply for T {}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("deadline", &self.run.deadline).field("hops", &self.run.hops).finish()
    }
}
