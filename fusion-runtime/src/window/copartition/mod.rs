//! Windows whose sources are keyed by the window's key already: partition `n` of all of them is read by one member, and
//! nothing is written but results.
//!
//! The sources are the log. There is no single order over several partitions, so only windows that do not depend on one
//! are gathered so: tumbling and hopping.

mod check;
mod input;
mod left;
mod partitioner;
mod worker;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc;

use crate::{
    Error,
    consume::{Service, Serving, Taken},
    produce::transactions::Transactions,
};

use super::{ANEW, ends::Ends, typed::Declared};
pub(crate) use check::{check, check_keeps};
pub(super) use left::check_declaration;
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
    /// The partitions of one number that wait for the others, by that number.
    waiting: Mutex<HashMap<i32, mpsc::UnboundedSender<Joining>>>,
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
            waiting: Mutex::default(),
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

impl Shared {
    /// Nobody else joins those that have all come.
    fn complete(&self, number: i32) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
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
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut joining = Joining { topic: self.topic, taken };
        if let Some(others) = waiting.get(&number) {
            match others.send(joining) {
                Ok(()) => return Box::pin(std::future::ready(())),
                // They have given up.
                Err(refused) => joining = refused.0,
            }
        }
        let (sender, others) = mpsc::unbounded_channel();
        waiting.insert(number, sender);
        let shared = self.shared.clone();
        Box::pin(async move {
            if let Some(worker) = Worker::gather(shared, joining, others).await {
                worker.run().await;
            }
        })
    }
}
