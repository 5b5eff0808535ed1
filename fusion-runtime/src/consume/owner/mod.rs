//! The thread that owns an app's consumer: poll, rebalance, commit and close happen here and nowhere else.

mod assign;
mod bounds;
mod close;
mod commit;
mod ends;
mod gap;
mod hand_over;
mod handle;
mod join;
mod revoke;

use std::{
    collections::HashMap,
    sync::{Arc, mpsc as std_mpsc},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Error,
    broker::{
        Start,
        ffi::{Batch, Commits, GroupMetadata, PartitionQueue, Taker, WakeGuard},
    },
    observe::Count,
    produce::transactions::{Epoch, Transactions},
};

use super::{
    rebalance::{GroupContext, Place, Rebalance},
    service::Service,
    shared::{Assignment, Core, Load},
};

use bounds::Bounds;
use ends::Ends;
use gap::Gaps;
use handle::Command;
pub(crate) use handle::{Consumer, GroupClient, Stopped};
use join::Beginning;

/// Records taken of a partition at once.
const BATCH: usize = 1024;
/// How long the thread sleeps at most: wake-ups of librdkafka's queues are edge-triggered and may be missed.
const TICK: Duration = Duration::from_millis(50);
/// How often progress is committed.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// How long the broker may take to confirm the commit of what is given back.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);
/// How long the broker may take to say where the group stands; the thread does nothing else meanwhile. It is twice as
/// long after each failure, up to the second.
const COMMITTED_LIMIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// How long the broker may take to say what a partition holds.
const WATERMARKS_LIMIT: Duration = Duration::from_secs(10);
/// A poll of a worker that lasts longer is held up by a handler.
const BLOCKED: Duration = Duration::from_secs(1);
/// A poll of a worker that lasts longer, at the end of its partition, is in the midst of a handler.
const IN_A_HANDLER: Duration = Duration::from_millis(50);
/// An offset that nothing is committed at.
const UNKNOWN: i64 = -1;

/// A partition that this member serves.
struct Partition {
    place: Place,
    service: Arc<dyn Service>,
    epoch: Epoch,
    assignment: Arc<Assignment>,
    batches: mpsc::UnboundedSender<Batch>,
    /// What was committed last, or [`UNKNOWN`].
    committed: i64,
    /// The offset behind what was taken from librdkafka, or [`UNKNOWN`].
    next: i64,
    /// The offset that is not there, if librdkafka has said so.
    gap: Option<i64>,
    queue: PartitionQueue,
    /// What its worker must have come down to before it is given more.
    held_back: Option<Load>,
    /// The poll that was told last as one that blocks.
    blocked: u64,
}

/// Partitions on their way out.
struct Revoking {
    places: Vec<Place>,
    until: Instant,
}

struct Stopping {
    /// When what runs must have ended.
    drained: Instant,
    /// When everything must have ended.
    until: Instant,
    tell: Option<oneshot::Sender<Stopped>>,
}

struct Owner {
    core: Arc<Core>,
    services: HashMap<String, Arc<dyn Service>>,
    partitions: HashMap<Place, Partition>,
    bounds: Bounds,
    runtime: tokio::runtime::Handle,
    start: Start,
    taker: Taker,
    /// When all queues are looked into.
    look_at: Instant,
    client: Arc<BaseConsumer<GroupContext>>,
    inbox: std_mpsc::Receiver<Command>,
    fail: watch::Sender<Option<Arc<Error>>>,
    tell_assigned: watch::Sender<usize>,
    revoking: Option<Revoking>,
    /// Whether it has subscribed.
    joined: bool,
    beginning: Beginning,
    /// Assigned partitions whose offsets the broker has not told yet.
    assigning: Option<Vec<Place>>,
    /// When the broker is asked again where the group stands, and how long it may take.
    assign_at: Instant,
    assign_limit: Duration,
    gaps: Gaps,
    ends: Ends,
    stopping: Option<Stopping>,
    next_commit: Instant,
    commits: Commits,
    /// Of the newest assignment.
    epoch: Epoch,
    /// Where those commit who do so by themselves, and what shows that they may.
    transactions: Option<Transactions>,
    membership: watch::Sender<Option<GroupMetadata>>,
}

impl Owner {
    fn run(mut self) {
        let thread = thread::current();
        let guard = WakeGuard::for_consumer(&self.client, thread);
        let outcome = loop {
            let events = match self.serve_events(&guard) {
                Ok(events) => events,
                Err(error) => break Err(error),
            };
            self.serve_commands();
            if let Err(error) = self.join().and_then(|()| self.serve_rebalances()) {
                break Err(error);
            }
            if let Some(reason) = self.client.context().take_fatal() {
                break Err(Error::Fatal { client: "consumer", reason });
            }
            let more = match self.hand_over().and_then(|more| self.serve_gaps().map(|()| more)) {
                Ok(more) => more,
                Err(error) => break Err(error),
            };
            self.commit_when_due();
            if self.stop_when_drained() {
                break Ok(());
            }
            if !more && !events {
                thread::park_timeout(TICK);
            }
        };
        self.close(guard, outcome);
    }

    /// Serves librdkafka's events; `true` if there may be more.
    fn serve_events(&self, guard: &WakeGuard) -> Result<bool, Error> {
        let more = match self.client.poll(Duration::ZERO) {
            None => guard.pending() > 0,
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                return Err(Error::client("consumer", error));
            }
            Some(Err(error)) => {
                // The client's context was told of it, too, and logs it.
                tracing::debug!(%error, group = &*self.core.app, "consumer");
                true
            }
            Some(Ok(message)) => {
                // Every partition has a queue of its own before it is assigned.
                use rdkafka::Message as _;
                tracing::error!(
                    topic = message.topic(),
                    partition = message.partition(),
                    "a record beside the queue"
                );
                true
            }
        };
        Ok(more)
    }

    fn serve_commands(&mut self) {
        while let Ok(Command::Stop { drained, until, tell }) = self.inbox.try_recv() {
            if self.stopping.is_none() {
                self.stop_workers(self.partitions.keys().cloned().collect());
                self.stopping = Some(Stopping { drained, until, tell: Some(tell) });
            }
        }
    }

    fn serve_rebalances(&mut self) -> Result<(), Error> {
        self.serve_commits();
        for rebalance in self.client.context().take_rebalances() {
            match rebalance {
                Rebalance::Assign(places) => self.assigning.get_or_insert_default().extend(places),
                Rebalance::Revoke(places) => self.begin_revoke(places),
            }
        }
        self.end_revoke();
        self.assign()
    }

    /// A handler that blocks its thread cannot be ended, but it is told and counted, once per poll.
    fn report_blocked(&mut self) {
        for partition in self.partitions.values_mut() {
            let Some((poll, lasting)) =
                partition.assignment.polling().filter(|(_, lasting)| *lasting >= BLOCKED)
            else {
                continue;
            };
            if partition.blocked != poll {
                partition.blocked = poll;
                self.core.counters.one(Count::Blocked);
                let (topic, number) = (&*partition.place.0, partition.place.1);
                let reactor = partition.service.name();
                tracing::warn!(
                    topic,
                    partition = number,
                    offset = partition.assignment.running(),
                    reactor,
                    ?lasting,
                    "a handler blocks its thread: what blocks belongs into `tokio::task::spawn_blocking`"
                );
            }
        }
    }
}

/// Whether asking again may help.
fn is_passing(error: &KafkaError) -> bool {
    !matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::SaslAuthenticationFailed
        )
    )
}
