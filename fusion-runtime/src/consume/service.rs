//! Who serves the partitions of a topic: reactors, and windows in two ways.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use crate::{
    Error,
    broker::ffi::{Batch, GroupMetadata},
    produce::transactions::{CommitMetadata, Epoch},
};

use super::{
    progress::Progress,
    shared::{Assignment, Core, Served, Working},
    worker::Worker,
};

/// The work on one partition, for one assignment.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves the partitions of one topic.
pub(crate) trait Service: Send + Sync {
    /// Who is served, in messages: a reactor, or a window.
    fn name(&self) -> &str;

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

    /// Whether it is a log that this app writes for itself, which every group reads from its beginning.
    fn is_log(&self) -> bool {
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
    /// The offset of the first record to come. It is negative if only that one tells, which it never does for those that
    /// commit by themselves.
    pub(crate) start: i64,
    /// What the last owner left beside the committed offset, for those that commit by themselves.
    pub(crate) left: Option<CommitMetadata>,
    /// Higher than those of all assignments before.
    pub(crate) epoch: Epoch,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) batches: mpsc::UnboundedReceiver<Batch>,
    pub(super) runtime: Handle,
    pub(super) membership: watch::Receiver<Option<GroupMetadata>>,
    pub(super) fail: watch::Sender<Option<Arc<Error>>>,
    pub(super) failed: AtomicBool,
    /// It goes last, when nothing is left of the partition's messages.
    pub(super) working: Option<Working>,
}

impl Taken {
    /// What shows the brokers that this member may commit for the partition; `None` once it may not, or [fails](Self::fail).
    pub(crate) fn membership(&self) -> Option<GroupMetadata> {
        let membership = self.membership.borrow().clone();
        // In this order: what was lost is given up before the membership that follows is known.
        membership.filter(|_| !self.assignment.is_abandoned() && !self.failed.load(Ordering::Relaxed))
    }

    /// Makes room for more: these records and bytes are in nobody's way any more.
    pub(crate) fn took(&self, records: usize, bytes: usize) {
        self.assignment.release(records, bytes);
    }

    /// Says that nothing of the partition is in work any more. Messages go before the owner hears of it, since it may
    /// close the client then.
    pub(crate) fn end(&mut self) {
        self.batches.close();
        while self.batches.try_recv().is_ok() {}
        self.working = None;
    }

    /// Ends the app: the partition cannot go on, and whatever is behind what failed would hide it. So nothing more is
    /// committed for it, or the next start would begin behind that.
    pub(crate) fn fail(&self, error: impl Into<Error>) {
        self.failed.store(true, Ordering::Relaxed);
        fail(&self.fail, error.into());
    }
}

/// Says why the app ends. The first to say so knows: what comes after it may be a consequence.
pub(super) fn fail(told: &watch::Sender<Option<Arc<Error>>>, error: Error) {
    told.send_if_modified(|why| {
        let is_first = why.is_none();
        why.get_or_insert_with(|| Arc::new(error));
        is_first
    });
}

impl Service for Arc<Served> {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn topic(&self) -> &str {
        self.spec.topic
    }

    fn serve(&self, taken: Taken) -> Serving {
        let Taken { core, partition, start, assignment, batches, working, .. } = taken;
        let progress = Progress::new(start);
        Box::pin(Worker::new(core, self.clone(), partition, progress, assignment, working, batches))
    }
}
