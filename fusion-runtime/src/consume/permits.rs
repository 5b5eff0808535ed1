//! How many records of a reactor may be in flight, seen from one of its partitions.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Waiting = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// A partition's way to the permits that all partitions of its reactor share. It has at most one in hand, for the next
/// record that does not end at once, and stands in line for at most one.
pub(super) struct Permits {
    shared: Arc<Semaphore>,
    in_hand: Option<OwnedSemaphorePermit>,
    waiting: Option<Waiting>,
}

impl Permits {
    pub(super) fn of(shared: Arc<Semaphore>) -> Self {
        Permits { shared, in_hand: None, waiting: None }
    }

    /// Whether a record may start: a permit is in hand.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if self.in_hand.is_some() {
            return true;
        }
        if self.waiting.is_none() {
            if let Ok(permit) = self.shared.clone().try_acquire_owned() {
                self.in_hand = Some(permit);
                return true;
            }
            let permits = self.shared.clone();
            self.waiting = Some(Box::pin(async move { permits.acquire_owned().await.ok() }));
        }
        if let Some(waiting) = &mut self.waiting
            && let Poll::Ready(permit) = waiting.as_mut().poll(cx)
        {
            self.waiting = None;
            self.in_hand = permit;
        }
        self.in_hand.is_some()
    }

    /// The one in hand, for a record that goes on.
    pub(super) fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        self.in_hand.take()
    }

    /// Leaves permits to others: there is nothing to start.
    pub(super) fn give_back(&mut self) {
        self.in_hand = None;
        self.waiting = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn who_has_nothing_to_start_keeps_no_permit_from_others() {
        let mut cx = Context::from_waker(Waker::noop());
        let shared = Arc::new(Semaphore::new(1));
        let (mut one, mut two) = (Permits::of(shared.clone()), Permits::of(shared.clone()));
        assert!(one.poll(&mut cx) && one.poll(&mut cx), "it is still in hand");
        assert!(!two.poll(&mut cx));
        one.give_back();
        assert!(two.poll(&mut cx));
        let running = two.take();
        assert!(running.is_some() && !two.poll(&mut cx) && !one.poll(&mut cx));
        // Both stand in line; who came first leaves it.
        two.give_back();
        drop(running);
        assert!(one.poll(&mut cx));
        one.give_back();
        assert_eq!(shared.available_permits(), 1);
    }
}
