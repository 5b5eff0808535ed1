//! Who serves the partitions of a topic: reactors, and windows in two ways.

use std::{future::Future, pin::Pin, sync::Arc};

use tokio::sync::mpsc;

use crate::broker::ffi::Batch;

use super::{
    shared::{Assignment, Core, Served},
    worker::Worker,
};

/// The work on one partition, for one assignment.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves the partitions of one topic.
pub(crate) trait Service: Send + Sync {
    /// The topic.
    fn topic(&self) -> &str;

    /// Whether it commits by itself, in transactions: a partition is committed in one way only.
    fn commits(&self) -> bool {
        false
    }

    /// Whether it is shown ends of partitions, as messages with that error.
    fn sees_ends(&self) -> bool {
        false
    }

    /// Begins to serve a partition. The work ends once the assignment is told to stop, and says so through
    /// [`Assignment::end`].
    fn serve(&self, partition: Taken) -> Serving;
}

/// A partition that this member was given.
pub(crate) struct Taken {
    pub(crate) core: Arc<Core>,
    pub(crate) partition: i32,
    /// The offset of the first record to come, or a negative number if only that one tells.
    pub(crate) start: i64,
    /// What was committed with it.
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) batches: mpsc::UnboundedReceiver<Batch>,
}

impl Service for Arc<Served> {
    fn topic(&self) -> &str {
        self.spec.topic
    }

    fn serve(&self, taken: Taken) -> Serving {
        let Taken { core, partition, start, assignment, batches, .. } = taken;
        Box::pin(Worker::new(core, self.clone(), partition, start, assignment, batches))
    }
}
