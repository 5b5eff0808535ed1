//! Requests of one poll leave together.
//!
//! librdkafka sends what lies in its queue when its thread looks there. Ten requests that are queued as their nodes come
//! to them leave as several batches, each with a way of its own to the broker, to the callee and back; queued in one go
//! they are one batch most of the time. So a run keeps its requests until its poll ends: that is when it begins to wait.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{
    Caller,
    request::{Departure, PendingReply, Request, Route},
};

/// The requests of a run that is being polled; `None` while it is not, and requests leave at once.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Option<Vec<Departure>>>);

impl Held {
    /// Sends a request, or keeps it for the end of the poll.
    pub(super) fn send(&self, route: &dyn Route, request: Request) -> PendingReply {
        match &mut *self.lock() {
            Some(held) => {
                let (pending, departure) = route.enlist(request);
                held.extend(departure);
                pending
            }
            None => route.send(request),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Departure>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as it lives the run's requests are kept; dropped, it sends them.
pub(crate) struct Hold<'a>(&'a Caller);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // Not under the lock: sending takes locks of its own.
        let held = self.0.held().lock().take();
        if let Some(held) = held.filter(|held| !held.is_empty()) {
            self.0.route().depart(held);
        }
    }
}

impl Caller {
    /// Keeps the run's requests while it is polled. Only for the time of a poll: what is kept, nobody answers.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.held().lock().get_or_insert_default();
        Hold(self)
    }

    /// A run of this caller whose requests leave together at the end of each poll.
    pub(crate) fn together<F: Future>(&self, run: F) -> Together<F> {
        Together { caller: self.clone(), run }
    }
}

pin_project! {
    /// See [`Caller::together`].
    pub(crate) struct Together<F> {
        caller: Caller,
        #[pin]
        run: F,
    }
}

impl<F: Future> Future for Together<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _hold = this.caller.hold();
        this.run.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, sync::Arc, task::Waker};

    use tokio::{sync::oneshot, time::Instant};
    use uuid::Uuid;

    use super::*;
    use crate::{
        contract::Envelope,
        dag::{CallError, Question, Reply, Terms},
        record::{Headers, codec::Format},
    };

    /// Writes down what leaves together.
    #[derive(Default)]
    struct Noting {
        batches: Mutex<Vec<Vec<String>>>,
        waiting: Mutex<Vec<oneshot::Sender<Result<Reply, CallError>>>>,
    }

    impl Noting {
        fn batches(&self) -> Vec<Vec<String>> {
            self.batches.lock().unwrap().clone()
        }
    }

    impl Route for Noting {
        fn format(&self) -> Format {
            Format::Json
        }

        fn id(&self) -> Uuid {
            Uuid::new_v4()
        }

        fn send(&self, request: Request) -> PendingReply {
            let (pending, departure) = self.enlist(request);
            self.depart(departure.into_iter().collect());
            pending
        }

        fn enlist(&self, request: Request) -> (PendingReply, Option<Departure>) {
            let (reply, pending) = oneshot::channel();
            self.waiting.lock().unwrap().push(reply);
            (PendingReply::new(pending), Some(Departure { request, delivered: None }))
        }

        fn depart(&self, departures: Vec<Departure>) {
            let topics = departures.iter().map(|departure| departure.request.topic.to_string());
            self.batches.lock().unwrap().push(topics.collect());
        }
    }

    async fn ask(caller: &Caller, topic: &'static str) {
        let question = Question {
            topic: Cow::Borrowed(topic),
            key: None,
            value: b"[]".to_vec(),
            headers: Headers::new(),
            envelope: Envelope::Headers,
            terms: Terms::node(topic.len() as u32),
        };
        let _ = caller.put(question).await;
    }

    fn caller() -> (Caller, Arc<Noting>) {
        let route = Arc::new(Noting::default());
        let deadline = Instant::now() + std::time::Duration::from_secs(3600);
        (Caller::new(route.clone(), deadline, 0), route)
    }

    #[tokio::test]
    async fn requests_of_one_poll_leave_together_before_the_run_waits() {
        let (caller, route) = caller();
        let run = async {
            let (a, bb) = (ask(&caller, "a"), ask(&caller, "bb"));
            tokio::join!(a, bb);
            assert_eq!(route.batches(), [["a", "bb"]]);
            tokio::join!(ask(&caller, "ccc"), ask(&caller, "dddd"));
        };
        let mut run = Box::pin(caller.together(run));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(cx).is_pending());
        assert_eq!(route.batches(), [["a", "bb"]]);

        // Half an answer makes nothing leave, and nothing leave again.
        let answer = || Ok(Reply { value: b"1".to_vec(), format: Format::Json });
        let mut waiting = std::mem::take(&mut *route.waiting.lock().unwrap());
        waiting.pop().unwrap().send(answer()).unwrap();
        assert!(run.as_mut().poll(cx).is_pending());
        assert_eq!(route.batches(), [["a", "bb"]]);

        waiting.pop().unwrap().send(answer()).unwrap();
        assert!(run.as_mut().poll(cx).is_pending());
        assert_eq!(route.batches(), [["a", "bb"], ["ccc", "dddd"]]);
    }

    #[tokio::test]
    async fn outside_of_such_a_poll_a_request_leaves_at_once() {
        let (caller, route) = caller();
        let mut run = Box::pin(async { tokio::join!(ask(&caller, "a"), ask(&caller, "bb")) });
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(route.batches(), [["a"], ["bb"]]);
    }

    #[tokio::test]
    async fn a_run_that_panics_keeps_nothing_back() {
        let (caller, route) = caller();
        let run = async {
            let mut asking = Box::pin(ask(&caller, "a"));
            let polled = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready(), "on purpose");
        };
        let mut run = Box::pin(caller.together(run));
        let poll = || run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).is_err());
        assert_eq!(route.batches(), [["a"]]);
    }
}
