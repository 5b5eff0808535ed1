//! All nodes of a run in one future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{CallError, Slot, Stored};

pin_project! {
    /// A node's future: it ends by writing the node's slot.
    #[derive(Debug)]
    pub struct Node<'s, F, T, K> {
        #[pin]
        future: Option<F>,
        slot: &'s Slot<T, K>,
    }
}

/// A node whose outcome goes to `slot`.
pub fn node<F, T, K>(slot: &Slot<T, K>, future: F) -> Node<'_, F, T, K>
where
    F: Future<Output = Result<Stored<T>, CallError>>,
{
    Node { future: Some(future), slot }
}

impl<F, T, K> Future for Node<'_, F, T, K>
where
    F: Future<Output = Result<Stored<T>, CallError>>,
{
    type Output = Result<(), CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(Ok(()));
        };
        let Poll::Ready(outcome) = future.poll(cx) else {
            return Poll::Pending;
        };
        this.future.set(None);
        Poll::Ready(this.slot.set(outcome))
    }
}

pin_project! {
    /// Two nodes, or joins of nodes. The first failure that no parameter takes ends it, which cancels the rest.
    #[derive(Debug)]
    pub struct Join<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
    }
}

/// Joins two; none of the nodes in `first` depends on one in `second`. Both may be polled again after
/// they have ended, as [`Node`]s and [`Join`]s may.
pub fn join<A, B>(first: A, second: B) -> Join<A, B>
where
    A: Future<Output = Result<(), CallError>>,
    B: Future<Output = Result<(), CallError>>,
{
    Join { first, second }
}

impl<A, B> Future for Join<A, B>
where
    A: Future<Output = Result<(), CallError>>,
    B: Future<Output = Result<(), CallError>>,
{
    type Output = Result<(), CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let first = this.first.poll(cx);
        if let Poll::Ready(Err(error)) = first {
            return Poll::Ready(Err(error));
        }
        match this.second.poll(cx) {
            Poll::Ready(Ok(())) => first,
            second => second,
        }
    }
}
