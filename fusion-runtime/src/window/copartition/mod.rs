//! Windows whose sources are keyed by the window's key already: partition `n` of all of them is read by one member, and
//! nothing is written but results.
//!
//! The sources are the log. There is no single order over several partitions, so only windows that do not depend on one
//! are gathered so: tumbling and hopping.

mod check;
mod input;
mod left;
mod meetings;
mod partitioner;
mod worker;

use std::sync::Arc;

use crate::{
    Error,
    consume::{Service, Serving, Taken},
    produce::transactions::Transactions,
};

use super::{ANEW, ends::Ends, typed::Declared};
pub(crate) use check::{check, check_keeps};
pub(super) use left::check_declaration;
use meetings::Meetings;
use worker::Worker;

/// Serves one source of a copartitioned window.
pub(crate) struct Copartition {
    shared: Arc<Shared>,
    /// Its place in the declaration.
    topic: usize,
}

struct Shared {
    declared: Arc<Declared>,
    transactions: Transactions,
    ends: Ends,
    meetings: Meetings<Joining>,
}

/// A partition that was given to this member, of the topic at this place.
struct Joining {
    topic: usize,
    taken: Taken,
}

impl Copartition {
    /// One for each source.
    pub(crate) fn all(declared: &Arc<Declared>, transactions: &Transactions, ends: &Ends) -> Vec<Self> {
        let shared = Arc::new(Shared {
            declared: declared.clone(),
            transactions: transactions.clone(),
            ends: ends.clone(),
            meetings: Meetings::new(),
        });
        (0..declared.spec.topics.len()).map(|topic| Copartition { shared: shared.clone(), topic }).collect()
    }
}

impl Copartition {
    /// Why a partition cannot be read that its topic did not have when the app started: from then on keys meet elsewhere,
    /// also those of windows that are open.
    fn grown(&self, number: i32, offset: i64) -> Option<Error> {
        let declared = &self.shared.declared;
        let had = declared.partitions;
        (number >= had).then(|| Error::Window {
            name: declared.spec.name,
            partition: number,
            offset,
            reason: format!(
                "the source topic `{}` had {had} partitions and now has more: keys would meet elsewhere. {ANEW}",
                declared.spec.topics[self.topic]
            ),
        })
    }
}

impl Service for Copartition {
    fn name(&self) -> &str {
        self.shared.declared.spec.name
    }

    fn topic(&self) -> &str {
        self.shared.declared.spec.topics[self.topic]
    }

    fn commits(&self) -> bool {
        true
    }

    fn sees_ends(&self) -> bool {
        true
    }

    fn serve(&self, mut taken: Taken) -> Serving {
        let number = taken.partition;
        if let Some(error) = self.grown(number, taken.start) {
            taken.fail(error);
            taken.end();
            return Box::pin(std::future::ready(()));
        }
        let shared = self.shared.clone();
        let assignment = taken.assignment.clone();
        let first = shared.meetings.come(number, &assignment, Joining { topic: self.topic, taken });
        Box::pin(async move {
            if let Some((first, others)) = first
                && let Some(worker) = Worker::gather(shared, first, others).await
            {
                worker.run().await;
            }
        })
    }
}
