//! Requests and replies as the graph sees them. What sends them is a [`Route`].

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::{
    contract::Envelope,
    record::{Headers, codec::Format},
};

use super::CallError;

/// One attempt to get an answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// The topic to ask.
    pub topic: Cow<'static, str>,
    /// The record's key; records of one key are answered in order.
    pub key: Option<Vec<u8>>,
    /// The arguments.
    pub value: Vec<u8>,
    /// The user's own headers.
    pub headers: Headers,
    /// How it travels.
    pub envelope: Envelope,
    /// The correlation id. A repeated attempt after a time-out has the same.
    pub id: Uuid,
    /// When nobody waits for the answer any more.
    pub deadline: Instant,
    /// How many requests led to this one, itself included.
    pub hops: u32,
    /// The W3C trace context to go on with.
    pub traceparent: Option<String>,
    /// Whether [`PendingReply::delivered`] is wanted.
    pub tell_delivery: bool,
}

/// A request that waits to leave with others. Its reply is waited for already.
#[derive(Debug)]
pub struct Departure {
    /// The request.
    pub request: Request,
    /// Who wants to know where it was written.
    pub delivered: Option<oneshot::Sender<Delivered>>,
}

/// Where a request was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The partition.
    pub partition: i32,
    /// The offset in it.
    pub offset: i64,
}

/// An answer's bytes.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The value.
    pub value: Vec<u8>,
    /// How it is encoded.
    pub format: Format,
}

/// An answer on its way. Dropping it forgets the request.
#[derive(Debug)]
pub struct PendingReply {
    reply: oneshot::Receiver<Result<Reply, CallError>>,
    delivered: Option<oneshot::Receiver<Delivered>>,
    // Takes the request out of the correlation table.
    _forget: Option<Guard>,
}

impl PendingReply {
    /// What `reply` will bring.
    pub fn new(reply: oneshot::Receiver<Result<Reply, CallError>>) -> Self {
        PendingReply { reply, delivered: None, _forget: None }
    }

    /// With the place of the request, for those who asked for it.
    #[must_use]
    pub fn with_delivery(mut self, delivered: oneshot::Receiver<Delivered>) -> Self {
        self.delivered = Some(delivered);
        self
    }

    /// Has `route` told when the reply is no longer waited for.
    #[must_use]
    pub fn forgotten_by(mut self, route: Arc<dyn Forget>, id: Uuid) -> Self {
        self._forget = Some(Guard { route, id });
        self
    }

    /// Where the request was written; `None` if that is not known.
    pub async fn delivered(&mut self) -> Option<Delivered> {
        self.delivered.take()?.await.ok()
    }
}

impl Future for PendingReply {
    /// `None`: the route is gone.
    type Output = Option<Result<Reply, CallError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.reply).poll(cx).map(Result::ok)
    }
}

/// Is told that nobody waits for a reply any more.
pub trait Forget: Send + Sync {
    /// Takes the request of this id off the table, if it is still there.
    fn forget(&self, id: Uuid);
}

struct Guard {
    route: Arc<dyn Forget>,
    id: Uuid,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.route.forget(self.id);
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Guard").field(&self.id).finish()
    }
}

/// Sends requests and brings their replies back.
pub trait Route: Send + Sync + 'static {
    /// How requests are encoded.
    fn format(&self) -> Format;

    /// An id that no other request has, of this route or any other.
    fn id(&self) -> Uuid;

    /// Sends one request. It does not block; what goes wrong arrives as the reply.
    fn send(&self, request: Request) -> PendingReply;

    /// Takes a request that is to leave with others, when [`depart`](Route::depart) is called with what comes back. A
    /// route that does not do so, and one that has something to do before, sends it by itself.
    fn enlist(&self, request: Request) -> (PendingReply, Option<Departure>) {
        (self.send(request), None)
    }

    /// Sends what was enlisted, as close to each other as can be. It does not block.
    fn depart(&self, departures: Vec<Departure>) {
        drop(departures);
    }
}
