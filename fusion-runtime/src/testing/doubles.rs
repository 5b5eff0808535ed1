//! The way of requests that leaves out the broker: from a graph straight to what stands in for the other services.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use tokio::{sync::oneshot, time::timeout_at};
use uuid::Uuid;

use crate::{
    consume::{AnyReactor, Input, Started},
    dag::{CallError, Caller, Delivered, PendingReply, Reply, Request, Route},
    failure::{Code, Failure},
    reactor::{Run, StateMap},
    record::{HeadersRef, RecordRef, codec::Format},
};

pub(super) type Answering = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, Failure> + Send + Sync>;

/// What stands in for the service behind a topic.
#[derive(Clone)]
pub(super) enum Double {
    Closure(Answering),
    Reactor(Arc<dyn AnyReactor>),
    /// It never answers.
    Silent,
}

/// A request that was asked: its topic and its value.
struct Asked {
    topic: String,
    value: Vec<u8>,
}

/// What all runs of one tester share.
#[derive(Default)]
pub(super) struct Log {
    asked: Mutex<Vec<Asked>>,
    /// Requests that are never answered must not look as if the route were gone.
    unanswered: Mutex<Vec<oneshot::Sender<Result<Reply, CallError>>>>,
}

impl Log {
    /// The values of all requests to this topic, in order.
    pub(super) fn values(&self, topic: &str) -> Vec<Vec<u8>> {
        lock(&self.asked)
            .iter()
            .filter(|asked| asked.topic == topic)
            .map(|asked| asked.value.clone())
            .collect()
    }

    /// Keeps a request, and says which one to its topic it is, from 0.
    fn keep(&self, topic: &str, value: &[u8]) -> i64 {
        let mut asked = lock(&self.asked);
        let earlier = asked.iter().filter(|earlier| earlier.topic == topic).count();
        asked.push(Asked { topic: topic.to_owned(), value: value.to_vec() });
        i64::try_from(earlier).unwrap_or(i64::MAX)
    }
}

/// A test may go on after a closure of it has panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The doubles, as a route. A clone is the same one.
#[derive(Clone, Default)]
pub(super) struct Doubles {
    pub(super) by_topic: HashMap<Cow<'static, str>, Double>,
    pub(super) state: StateMap,
    pub(super) log: Arc<Log>,
}

impl Route for Doubles {
    fn format(&self) -> Format {
        Format::Json
    }

    fn id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn send(&self, request: Request) -> PendingReply {
        let (tell, reply) = oneshot::channel();
        let (place, delivered) = oneshot::channel();
        let offset = self.log.keep(&request.topic, &request.value);
        // Who does not ask for the place has dropped the other end, or will.
        let _ = place.send(Delivered { partition: 0, offset });
        match self.by_topic.get(&request.topic) {
            Some(Double::Closure(answer)) => {
                let _ = tell.send(replied(&request.topic, answer(&request.value)));
            }
            Some(Double::Reactor(reactor)) => {
                let (doubles, reactor) = (self.clone(), reactor.clone());
                tokio::spawn(async move {
                    let topic = request.topic.clone();
                    let ran = doubles.serve(&*reactor, request, offset).await;
                    let _ = tell.send(replied(&topic, ran));
                });
            }
            Some(Double::Silent) => lock(&self.log.unanswered).push(tell),
            None => {
                let message =
                    "nothing answers this topic in this test: `Tester::answer` or `Tester::serve` does";
                let _ = tell.send(Err(CallError::new(Code::UnknownTopic, &*request.topic, message)));
            }
        }
        PendingReply::new(reply).with_delivery(delivered)
    }
}

impl Doubles {
    /// Runs another reactor on a request, once.
    async fn serve(
        &self,
        reactor: &dyn AnyReactor,
        request: Request,
        offset: i64,
    ) -> Result<Vec<u8>, Failure> {
        let spec = reactor.spec();
        let deadline = request.deadline.min(tokio::time::Instant::now() + spec.within);
        let caller = Caller::new(Arc::new(self.clone()), deadline, request.hops);
        let mut runner = reactor.runner();
        let started = poll_fn(|cx| {
            let record = RecordRef {
                topic: spec.topic,
                partition: 0,
                offset,
                timestamp: None,
                key: request.key.as_deref(),
                value: Some(&request.value),
                headers: HeadersRef::from(&request.headers),
            };
            let run = Run {
                record,
                reactor: spec.name,
                attempt: 1,
                hops: request.hops,
                deadline,
                state: &self.state,
                caller: Some(&caller),
                window: None,
            };
            let input = Input { value: record.value, format: Format::Json };
            Poll::Ready(runner.start(&run, input, Some(Format::Json), cx))
        })
        .await;
        let ran = match started {
            Started::Done(ran) => ran,
            Started::Pending(running) => timeout_at(deadline, running).await.unwrap_or_else(|_| {
                let message = format!("`{}` did not end before its deadline", spec.name);
                Err(Failure::new(Code::Timeout, message))
            }),
        };
        // A value was asked for, so there is one.
        ran.map(Option::unwrap_or_default)
    }
}

/// An outcome in the form in which it would come back from a broker.
fn replied(topic: &str, outcome: Result<Vec<u8>, Failure>) -> Result<Reply, CallError> {
    match outcome {
        Ok(value) => Ok(Reply { value, format: Format::Json }),
        Err(failure) => Err(CallError::new(failure.code().clone(), topic, failure.message())
            .with_retryable(failure.is_retryable())),
    }
}
