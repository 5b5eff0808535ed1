//! The handle that any thread sends with.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::owner::{self, Shared};
use super::{Outgoing, ProduceError, Receipt};
use crate::broker::{Config, ConfigError};

/// Sends records. A clone is the same producer; when the last one is dropped the producer closes by itself, as
/// [`close`](Producer::close) with five seconds would, without anybody waiting for it.
#[derive(Clone)]
pub struct Producer {
    handle: Arc<Handle>,
}

/// Closes when the last clone goes.
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.ask_to_close(Instant::now() + owner::DROP_LIMIT, None);
    }
}

/// Not everything was confirmed in the time given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{records} records were not confirmed by the broker in the time given")]
pub struct Unflushed {
    /// How many.
    pub records: usize,
}

impl Producer {
    /// Makes the client and starts its owner thread. It returns before a broker was reached.
    pub fn start(config: &Config) -> Result<Producer, ConfigError> {
        let shared = owner::start(config)?;
        Ok(Producer { handle: Arc::new(Handle { shared }) })
    }

    /// Queues a record and returns; never waits, from any thread. What becomes of the record goes to `receipt`. On
    /// an error nothing was queued and the receipt is dropped untold.
    pub fn send(&self, record: Outgoing<'_>, receipt: Receipt) -> Result<(), ProduceError> {
        self.handle.shared.send(&record, receipt).map_err(|(error, _)| error)
    }

    /// As [`send`](Producer::send), but waits until `deadline` for room in the queue, woken by the confirmations
    /// that make it.
    pub async fn send_when_ready(
        &self,
        record: Outgoing<'_>,
        receipt: Receipt,
        deadline: tokio::time::Instant,
    ) -> Result<(), ProduceError> {
        let shared = &self.handle.shared;
        let mut receipt = match shared.send(&record, receipt) {
            Err((ProduceError::QueueFull { .. }, receipt)) => receipt,
            done => return done.map_err(|(error, _)| error),
        };
        let _waiting = Waiting::count(shared);
        loop {
            let mut room = std::pin::pin!(shared.room.notified());
            // Before the next try, so that room made between the try and the wait is not missed.
            room.as_mut().enable();
            let full;
            (full, receipt) = match shared.send(&record, receipt) {
                Err((full @ ProduceError::QueueFull { .. }, receipt)) => (full, receipt),
                done => return done.map_err(|(error, _)| error),
            };
            if tokio::time::timeout_at(deadline, room).await.is_err() {
                return Err(full);
            }
        }
    }

    /// How many records wait for their confirmation.
    pub fn in_flight(&self) -> usize {
        self.handle.shared.in_flight()
    }

    /// Waits until everything that was sent is confirmed or has failed. The owner thread watches the deadline, so
    /// no timer is needed.
    pub async fn flush(&self, deadline: Instant) -> Result<(), Unflushed> {
        self.handle.shared.ask_to_flush(deadline).await.unwrap_or(Ok(()))
    }

    /// Refuses what is sent from now on, gives the rest until `deadline`, tells every receipt, and ends the client.
    /// The error says how many records were given up. A second call waits for the same end.
    pub async fn close(&self, deadline: Instant) -> Result<(), Unflushed> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.handle.shared.ask_to_close(deadline, Some(tell));
        told.await.unwrap_or(Ok(()))
    }
}

/// Counts a task that waits for room as long as it lives.
struct Waiting<'a>(&'a Shared);

impl Waiting<'_> {
    fn count(shared: &Shared) -> Waiting<'_> {
        shared.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
