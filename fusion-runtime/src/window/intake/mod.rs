//! Reading the sources of re-keyed windows: each record goes to the partition of its key in the window's log, and with
//! it goes what the partition it came from says about time.
//!
//! What depends on clocks or on the order of arrival is decided here and written down, so that the window itself is a
//! function of its log: which records are skipped, which are too far ahead to move time, which partition is silent.

mod left;
mod pace;
mod silence;
mod worker;

use std::sync::Arc;

use crate::{
    Error,
    consume::{Served, Service, Serving, Taken},
    produce::transactions::Transactions,
};

use super::{copartition::check_declaration, ends::Ends, typed::Declared};
pub(crate) use left::too_many;
pub(crate) use pace::Pace;
pub(crate) use silence::{Question, Silence};
use worker::Worker;

/// A window that gathers a topic.
pub(crate) struct Target {
    pub(crate) window: Arc<Declared>,
    /// The topic's place among the window's.
    pub(crate) topic: usize,
}

/// Serves one topic that windows gather, for all of them and for a reactor that serves it, too: they share its offsets.
pub(crate) struct Intake {
    shared: Arc<Shared>,
}

struct Shared {
    topic: String,
    targets: Vec<Target>,
    served: Option<Arc<Served>>,
    transactions: Transactions,
    ends: Ends,
}

impl Intake {
    pub(crate) fn new(
        topic: &str,
        targets: Vec<Target>,
        served: Option<Arc<Served>>,
        transactions: Transactions,
        ends: Ends,
    ) -> Self {
        Intake { shared: Arc::new(Shared { topic: topic.to_owned(), targets, served, transactions, ends }) }
    }
}

impl Intake {
    /// What a copartitioned window left open stays where it is.
    fn check(&self, partition: &Taken) -> Result<(), Error> {
        let Some(left) = &partition.left else { return Ok(()) };
        for target in &self.shared.targets {
            let (name, declaration) = (target.window.spec.name, &target.window.declaration);
            check_declaration(left, name, declaration).map_err(|reason| {
                let (partition, offset) = (partition.partition, partition.start);
                Error::Window { name, partition, offset, reason }
            })?;
        }
        Ok(())
    }
}

impl Service for Intake {
    fn name(&self) -> &str {
        // What a handler does is the reactor's. Where there are several windows, they read together.
        match &self.shared.served {
            Some(served) => served.spec.name,
            None => self.shared.targets.first().map_or("", |target| target.window.spec.name),
        }
    }

    fn topic(&self) -> &str {
        &self.shared.topic
    }

    fn commits(&self) -> bool {
        true
    }

    fn sees_ends(&self) -> bool {
        true
    }

    fn serve(&self, mut partition: Taken) -> Serving {
        if let Err(error) = self.check(&partition) {
            partition.fail(error);
            partition.end();
            return Box::pin(std::future::ready(()));
        }
        Box::pin(Worker::new(self.shared.clone(), partition).run())
    }
}
