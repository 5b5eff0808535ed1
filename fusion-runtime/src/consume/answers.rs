//! Replies that leave together.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    acknowledge::{Acknowledged, Answer},
    settlements::Settlements,
};

/// How long replies are collected. Handlers that take longer are answered for one by one.
const LIMIT: Duration = Duration::from_micros(200);

/// The replies of one poll of a worker.
///
/// They are queued in one go, so that librdkafka finds them together: it sends what it sees, and what comes behind the
/// first has a way of its own to the broker and to the caller.
pub(super) struct Answers {
    collected: Vec<Answer>,
    since: Instant,
}

impl Answers {
    pub(super) fn new() -> Self {
        Answers { collected: Vec::new(), since: Instant::now() }
    }

    /// A poll begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.since = now;
    }

    /// One more. `true`: do not wait for another.
    pub(super) fn push(&mut self, answer: Answer) -> bool {
        self.collected.push(answer);
        self.since.elapsed() > LIMIT
    }

    /// Queues all, and gives what is left to be done for those that cannot be queued.
    pub(super) fn send(
        &mut self,
        settlements: &Arc<Settlements>,
    ) -> impl Iterator<Item = Pin<Box<dyn Future<Output = Acknowledged> + Send>>> {
        self.since = Instant::now();
        self.collected.drain(..).filter_map(|answer| answer.send(settlements))
    }
}
