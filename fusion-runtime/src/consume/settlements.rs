//! Delivery reports of replies, from the producer's thread to the worker.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use futures_util::task::AtomicWaker;

use crate::produce::{Delivered, ProduceError, Settle};

/// Collects delivery reports of replies, by offset of the record that was answered.
#[derive(Default)]
pub(super) struct Settlements {
    settled: Mutex<Settled>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct Settled {
    outstanding: usize,
    reports: VecDeque<(i64, bool)>,
}

impl Settlements {
    /// Before the worker takes.
    pub(super) fn woken_by(&self, worker: &Waker) {
        self.waker.register(worker);
    }

    /// One more reply was sent.
    pub(super) fn expect(&self) {
        self.lock().outstanding += 1;
    }

    /// The reply was not even sent.
    pub(super) fn forget(&self) {
        self.lock().outstanding -= 1;
    }

    pub(super) fn take(&self) -> VecDeque<(i64, bool)> {
        let mut settled = self.lock();
        settled.outstanding -= settled.reports.len();
        std::mem::take(&mut settled.reports)
    }

    pub(super) fn outstanding(&self) -> usize {
        self.lock().outstanding
    }

    fn lock(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settle for Settlements {
    fn settled(&self, token: u64, result: Result<Delivered, ProduceError>) {
        if let Err(error) = &result {
            tracing::warn!(%error, "a reply was not delivered");
        }
        self.lock().reports.push_back((token.cast_signed(), result.is_ok()));
        self.waker.wake();
    }
}
