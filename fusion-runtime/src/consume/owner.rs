//! The thread that owns an app's consumer: poll, rebalance, pause, commit and close happen here and nowhere else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc},
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Error,
    broker::{
        Config, Start,
        ffi::{Message, MessageError, OwnQueue, WakeGuard},
    },
    observe::Count,
};

use super::{
    lanes::Pressure,
    rebalance::{self, GroupContext, Place, Rebalance},
    shared::{Assignment, Core, Served},
    worker::{Batch, Worker},
};

/// Records taken from librdkafka at once.
const BATCH: usize = 1024;
/// How long the thread sleeps at most: wake-ups of librdkafka's queues are edge-triggered and may be missed.
const TICK: Duration = Duration::from_millis(50);
/// How often progress is committed.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// How long a revoke may wait for what runs. Other members of the group wait for it, too.
const REVOKE_LIMIT: Duration = Duration::from_secs(10);
/// How long the broker may take to say where the group stands.
const COMMITTED_LIMIT: Duration = Duration::from_secs(10);
/// A poll of a worker that lasts longer is held up by a handler.
const BLOCKED: Duration = Duration::from_secs(1);
/// Bytes that may wait for their lanes, per partition.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// An app's consumer.
pub(crate) struct Consumer {
    commands: std_mpsc::Sender<Command>,
    thread: Thread,
    handle: Mutex<Option<JoinHandle<()>>>,
    stopped: watch::Receiver<Option<Arc<Error>>>,
    assigned: watch::Receiver<usize>,
}

enum Command {
    Stop { until: Instant, tell: oneshot::Sender<Stopped> },
}

/// How a consumer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// Records that were still running when the time was over. They are delivered again.
    pub(crate) unfinished: usize,
}

impl Consumer {
    /// Joins the app's group and begins to serve.
    pub(crate) fn start(
        config: &Config,
        core: Arc<Core>,
        served: Vec<Arc<Served>>,
    ) -> Result<Consumer, Error> {
        let client: Arc<BaseConsumer<GroupContext>> = Arc::new(
            config
                .group_consumer(&core.app)?
                .create_with_context(GroupContext::default())
                .map_err(|error| Error::client("consumer", error))?,
        );
        let topics: Vec<&str> = served.iter().map(|served| served.spec.topic).collect();
        client.subscribe(&topics).map_err(|error| Error::client("consumer", error))?;
        let (commands, inbox) = std_mpsc::channel();
        let (fail, stopped) = watch::channel(None);
        let (tell_assigned, assigned) = watch::channel(0);
        let runtime = tokio::runtime::Handle::current();
        let start = config.settings().start;
        let handle = thread::Builder::new()
            .name(format!("{}-consumer", core.app))
            .spawn(move || {
                let queue = OwnQueue::new(&client);
                let owner = Owner {
                    served: served.into_iter().map(|served| (served.spec.topic.to_owned(), served)).collect(),
                    partitions: HashMap::new(),
                    by_place: HashMap::new(),
                    last: None,
                    pressure: Pressure::new(core.settings.in_flight, WAITING_BYTES),
                    core,
                    runtime,
                    start,
                    queue,
                    client,
                    inbox,
                    fail,
                    tell_assigned,
                    revoking: None,
                    assigning: None,
                    assign_at: Instant::now(),
                    stopping: None,
                    next_commit: Instant::now() + COMMIT_EVERY,
                };
                owner.run();
            })
            .map_err(|error| Error::Thread { name: "consumer", error })?;
        let thread = handle.thread().clone();
        Ok(Consumer { commands, thread, handle: Mutex::new(Some(handle)), stopped, assigned })
    }

    /// Stops taking, lets what runs end until `until`, commits, leaves the group and closes.
    pub(crate) async fn stop(&self, until: Instant) -> Stopped {
        let (tell, told) = oneshot::channel();
        let command = Command::Stop { until, tell };
        let stopped = match self.commands.send(command) {
            Ok(()) => {
                self.thread.unpark();
                told.await.unwrap_or_default()
            }
            // It has ended already.
            Err(_) => Stopped::default(),
        };
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            // Closing may hang with the broker away (librdkafka #509, #611): then the thread is left behind.
            let closed = tokio::task::spawn_blocking(move || handle.join());
            let grace = Duration::from_secs(1);
            let _ = tokio::time::timeout_at(tokio::time::Instant::from_std(until) + grace, closed).await;
        }
        stopped
    }

    /// Waits until the consumer fails by itself.
    pub(crate) async fn failed(&self) -> Arc<Error> {
        let mut stopped = self.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(|| Arc::new(Error::Stopped)),
            Err(_) => Arc::new(Error::Stopped),
        }
    }

    /// How many partitions this member has, as it changes.
    pub(crate) fn assigned(&self) -> watch::Receiver<usize> {
        self.assigned.clone()
    }
}

/// A partition that this member serves.
struct Partition {
    place: Place,
    assignment: Arc<Assignment>,
    batches: mpsc::UnboundedSender<Batch>,
    /// What was committed last.
    committed: i64,
    paused: bool,
    /// The poll that was told last as one that blocks.
    blocked: u64,
    /// What was taken for it in this round.
    taken: Batch,
}

/// Partitions on their way out.
struct Revoking {
    places: Vec<Place>,
    until: Instant,
}

struct Stopping {
    until: Instant,
    tell: Option<oneshot::Sender<Stopped>>,
}

struct Owner {
    core: Arc<Core>,
    served: HashMap<String, Arc<Served>>,
    partitions: HashMap<Place, Partition>,
    /// Places by librdkafka's identity of the topic, so that no name is compared per message.
    by_place: HashMap<(usize, i32), Place>,
    last: Option<((usize, i32), Place)>,
    pressure: Pressure,
    runtime: tokio::runtime::Handle,
    start: Start,
    queue: OwnQueue,
    client: Arc<BaseConsumer<GroupContext>>,
    inbox: std_mpsc::Receiver<Command>,
    fail: watch::Sender<Option<Arc<Error>>>,
    tell_assigned: watch::Sender<usize>,
    revoking: Option<Revoking>,
    /// Assigned partitions whose offsets the broker has not told yet.
    assigning: Option<Vec<Place>>,
    /// When the broker is asked again where the group stands.
    assign_at: Instant,
    stopping: Option<Stopping>,
    next_commit: Instant,
}

impl Owner {
    fn run(mut self) {
        let thread = thread::current();
        self.queue.wake(thread.clone());
        let guard = WakeGuard::for_consumer(&self.client, thread);
        let mut messages = Vec::with_capacity(BATCH);
        let outcome = loop {
            let events = self.serve_events(&guard);
            self.serve_commands();
            if let Err(error) = self.serve_rebalances() {
                break Err(error);
            }
            if let Some(reason) = self.client.context().take_fatal() {
                break Err(Error::Fatal { client: "consumer", reason });
            }
            let taken = self.queue.take(BATCH, &mut messages);
            if let Err(error) = self.hand_over(&mut messages) {
                break Err(error);
            }
            self.resume();
            self.commit_when_due();
            if self.stop_when_drained() {
                break Ok(());
            }
            if taken == 0 && !events {
                thread::park_timeout(TICK);
            }
        };
        self.close(guard, outcome);
    }

    /// Serves librdkafka's events; `true` if there may be more.
    fn serve_events(&self, guard: &WakeGuard) -> bool {
        match self.client.poll(Duration::ZERO) {
            None => guard.pending() > 0,
            Some(Err(error)) => {
                tracing::warn!(%error, group = &*self.core.app, "consumer");
                true
            }
            Some(Ok(message)) => {
                // Every partition is forwarded to our queue before it is assigned.
                use rdkafka::Message as _;
                tracing::error!(
                    topic = message.topic(),
                    partition = message.partition(),
                    "a record beside the queue"
                );
                true
            }
        }
    }

    fn serve_commands(&mut self) {
        while let Ok(Command::Stop { until, tell }) = self.inbox.try_recv() {
            if self.stopping.is_none() {
                self.stop_workers(self.partitions.keys().cloned().collect());
                self.stopping = Some(Stopping { until, tell: Some(tell) });
            }
        }
    }

    fn serve_rebalances(&mut self) -> Result<(), Error> {
        for failure in self.client.context().take_failed_commits() {
            self.core.counters.one(Count::CommitFailures);
            tracing::warn!(group = &*self.core.app, "a commit failed and is repeated: {failure}");
            // Nothing is known to be committed any more.
            self.partitions.values_mut().for_each(|partition| partition.committed = -1);
        }
        for rebalance in self.client.context().take_rebalances() {
            match rebalance {
                Rebalance::Assign(places) => self.assigning.get_or_insert_default().extend(places),
                Rebalance::Revoke(places) => self.begin_revoke(places),
            }
        }
        self.end_revoke();
        self.assign()
    }

    /// Takes what the group gave: from the committed offsets on, never from where librdkafka would choose.
    fn assign(&mut self) -> Result<(), Error> {
        let Some(assigning) = &self.assigning else { return Ok(()) };
        if self.revoking.is_some() || self.stopping.is_some() || Instant::now() < self.assign_at {
            return Ok(());
        }
        // Whatever is not known yet is asked for again after a pause.
        self.assign_at = Instant::now() + Duration::from_millis(200);
        let mut wanted = TopicPartitionList::new();
        for (topic, partition) in assigning {
            wanted.add_partition(topic, *partition);
        }
        // Blocks this thread for a round trip. What runs goes on; nothing new is taken meanwhile.
        let known = if wanted.count() == 0 {
            Ok(wanted)
        } else {
            self.client.committed_offsets(wanted, COMMITTED_LIMIT)
        };
        let committed = match known {
            Ok(committed) => committed,
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, group = &*self.core.app, "the broker does not say where the group stands yet");
                return Ok(());
            }
            Err(error) => return Err(Error::client("consumer", error)),
        };
        let mut offsets = TopicPartitionList::new();
        let mut starts = Vec::new();
        for element in committed.elements() {
            // Errors of single partitions hide inside `Ok`.
            if let Err(error) = element.error() {
                tracing::warn!(%error, topic = element.topic(), partition = element.partition(), "no committed offset yet");
                return Ok(());
            }
            let (topic, partition) = (element.topic().to_owned(), element.partition());
            let offset = match element.offset() {
                Offset::Offset(offset) => Offset::Offset(offset),
                _ if self.start == Start::Latest => {
                    match self.client.fetch_watermarks(&topic, partition, COMMITTED_LIMIT) {
                        Ok((_, end)) => Offset::Offset(end),
                        Err(error) => {
                            tracing::warn!(%error, topic, partition, "the end of the partition is not known yet");
                            return Ok(());
                        }
                    }
                }
                _ => Offset::Beginning,
            };
            offsets
                .add_partition_offset(&topic, partition, offset)
                .map_err(|error| Error::client("consumer", error))?;
            starts.push(((topic, partition), offset));
        }
        let forwarder = self.queue.forwarder();
        for ((topic, partition), _) in &starts {
            // A stop undoes it, so it is done again at each assign, and before it.
            if !forwarder.forward(&self.client, topic, *partition) {
                tracing::error!(topic, partition, "the partition could not be forwarded");
            }
        }
        rebalance::assign(&self.client, &offsets).map_err(|error| Error::client("consumer", error))?;
        self.assigning = None;
        self.assign_at = Instant::now();
        for (place, offset) in starts {
            self.begin(place, offset);
        }
        self.tell_assigned.send_replace(self.partitions.len());
        Ok(())
    }

    fn begin(&mut self, place: Place, offset: Offset) {
        let Some(served) = self.served.get(&place.0).cloned() else {
            tracing::error!(topic = place.0, "a topic that nobody serves was assigned");
            return;
        };
        let start = match offset {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        let assignment = Arc::new(Assignment::new(start, thread::current()));
        let (batches, receiver) = mpsc::unbounded_channel();
        let worker = Worker::new(self.core.clone(), served, place.1, start, assignment.clone(), receiver);
        self.runtime.spawn(worker);
        self.core.counters.one(Count::Assigned);
        let partition = Partition {
            place: place.clone(),
            assignment,
            batches,
            committed: start,
            paused: false,
            blocked: 0,
            taken: Vec::new(),
        };
        self.partitions.insert(place, partition);
        self.set_pressure();
    }

    /// Whether there is room is per partition: a slow key must not stop the others.
    fn set_pressure(&mut self) {
        let share = self.core.settings.in_flight / self.partitions.len().max(1);
        self.pressure = Pressure::new(share.max(64), WAITING_BYTES);
    }

    fn begin_revoke(&mut self, places: Vec<Place>) {
        if let Some(assigning) = &mut self.assigning {
            assigning.retain(|place| !places.contains(place));
        }
        self.core.counters.add(Count::Revoked, places.len() as u64);
        let lost = rebalance::is_lost(&self.client);
        if lost {
            tracing::warn!(group = &*self.core.app, "the assignment was lost: nothing of it is committed");
            for place in &places {
                if let Some(partition) = self.partitions.get(place) {
                    partition.assignment.abandon();
                }
            }
        }
        self.stop_workers(places.clone());
        let until = Instant::now() + if lost { Duration::ZERO } else { REVOKE_LIMIT };
        match &mut self.revoking {
            Some(revoking) => revoking.places.extend(places),
            None => self.revoking = Some(Revoking { places, until }),
        }
    }

    /// Tells workers to start nothing new. An empty batch wakes those that sleep.
    fn stop_workers(&self, places: Vec<Place>) {
        for partition in places.iter().filter_map(|place| self.partitions.get(place)) {
            partition.assignment.stop();
            let _ = partition.batches.send(Batch::new());
        }
    }

    fn end_revoke(&mut self) {
        let Some(revoking) = &self.revoking else { return };
        let over = Instant::now() >= revoking.until;
        let ended = |place: &Place| {
            self.partitions.get(place).is_none_or(|partition| partition.assignment.has_ended())
        };
        if !over && !revoking.places.iter().all(ended) {
            return;
        }
        let places = self.revoking.take().map(|revoking| revoking.places).unwrap_or_default();
        if over {
            for place in &places {
                if let Some(partition) =
                    self.partitions.get(place).filter(|partition| !partition.assignment.has_ended())
                {
                    partition.assignment.abandon();
                    let _ = partition.batches.send(Batch::new());
                }
            }
        }
        if !rebalance::is_lost(&self.client) {
            self.commit(Some(&places), CommitMode::Sync);
        }
        let mut list = TopicPartitionList::new();
        for place in &places {
            list.add_partition(&place.0, place.1);
            self.partitions.remove(place);
        }
        self.by_place.clear();
        self.last = None;
        rebalance::unassign(&self.client, &list);
        self.set_pressure();
        self.tell_assigned.send_replace(self.partitions.len());
    }

    /// Gives every partition's records to its worker.
    fn hand_over(&mut self, messages: &mut Vec<Message>) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut touched: Vec<Place> = Vec::new();
        for message in messages.drain(..) {
            if let Some(error) = message.error() {
                self.message_error(&message, error)?;
                continue;
            }
            let key = (message.topic_handle(), message.partition());
            let place = match &self.last {
                Some((last, place)) if *last == key => place,
                _ => {
                    let place = self
                        .by_place
                        .entry(key)
                        .or_insert_with(|| (message.topic().to_owned(), message.partition()))
                        .clone();
                    &self.last.insert((key, place)).1
                }
            };
            // A partition that is on its way out, or gone: what librdkafka had fetched of it is dropped.
            if let Some(partition) = self.partitions.get_mut(place) {
                if partition.taken.is_empty() {
                    touched.push(place.clone());
                }
                partition.taken.push(message);
            }
        }
        for place in touched {
            let Some(partition) = self.partitions.get_mut(&place) else { continue };
            let batch = std::mem::take(&mut partition.taken);
            self.core.counters.add(Count::Records, batch.len() as u64);
            partition.assignment.hand_over(batch.len());
            // A worker that has ended takes nothing; then the revoke is under way.
            let _ = partition.batches.send(batch);
            let held = partition.assignment.held();
            if !partition.paused && self.pressure.should_pause(held, partition.assignment.waiting_bytes()) {
                self.pause(&place);
            }
        }
        Ok(())
    }

    fn pause(&mut self, place: &Place) {
        let Some(partition) = self.partitions.get_mut(place) else { return };
        let mut list = TopicPartitionList::new();
        list.add_partition(&place.0, place.1);
        match self.client.pause(&list) {
            Ok(()) => {
                partition.paused = true;
                partition.assignment.wake_below(self.core.settings.in_flight / 4);
                self.core.counters.one(Count::Pauses);
            }
            Err(error) => tracing::debug!(%error, topic = place.0, partition = place.1, "pause"),
        }
    }

    fn resume(&mut self) {
        let mut list = TopicPartitionList::new();
        for partition in self.partitions.values_mut().filter(|partition| partition.paused) {
            let (held, bytes) = (partition.assignment.held(), partition.assignment.waiting_bytes());
            if self.pressure.should_resume(held, bytes) {
                partition.paused = false;
                list.add_partition(&partition.place.0, partition.place.1);
            }
        }
        if list.count() > 0
            && let Err(error) = self.client.resume(&list)
        {
            tracing::debug!(%error, "resume");
        }
    }

    fn message_error(&self, message: &Message, error: MessageError) -> Result<(), Error> {
        let (topic, partition) = (message.topic(), message.partition());
        match error {
            MessageError::EndOfPartition => Ok(()),
            MessageError::OffsetOutOfRange
                if self.partitions.contains_key(&(topic.to_owned(), partition)) =>
            {
                let offset = self.partitions[&(topic.to_owned(), partition)].assignment.committable();
                let (start, end) =
                    self.client.fetch_watermarks(topic, partition, COMMITTED_LIMIT).unwrap_or((-1, -1));
                Err(Error::Gap { topic: topic.to_owned(), partition, offset, start, end })
            }
            error => {
                tracing::warn!(topic, partition, ?error, "{}", message.error_text());
                Ok(())
            }
        }
    }

    fn commit_when_due(&mut self) {
        let now = Instant::now();
        if now >= self.next_commit {
            self.next_commit = now + COMMIT_EVERY;
            self.commit(None, CommitMode::Async);
            self.report_blocked();
        }
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
                tracing::warn!(
                    topic,
                    partition = number,
                    ?lasting,
                    "a handler blocks its thread: what blocks belongs into `tokio::task::spawn_blocking`"
                );
            }
        }
    }

    /// Commits the progress of all partitions, or of some.
    fn commit(&mut self, places: Option<&[Place]>, mode: CommitMode) {
        let mut list = TopicPartitionList::new();
        for (place, partition) in &mut self.partitions {
            let committable = partition.assignment.committable();
            let meant = places.is_none_or(|places| places.contains(place));
            if meant
                && committable != partition.committed
                && list.add_partition_offset(&place.0, place.1, Offset::Offset(committable)).is_ok()
            {
                partition.committed = committable;
            }
        }
        if list.count() == 0 {
            return;
        }
        if let Err(error) = self.client.commit(&list, mode) {
            self.core.counters.one(Count::CommitFailures);
            tracing::warn!(%error, group = &*self.core.app, "a commit failed");
            for partition in self.partitions.values_mut() {
                partition.committed = -1;
            }
        }
    }

    /// `true` when everything has ended and is committed.
    fn stop_when_drained(&mut self) -> bool {
        let Some(stopping) = &mut self.stopping else { return false };
        let running = self.partitions.values().filter(|partition| !partition.assignment.has_ended());
        if running.clone().next().is_some() && Instant::now() < stopping.until {
            return false;
        }
        for partition in running {
            partition.assignment.abandon();
            let _ = partition.batches.send(Batch::new());
        }
        true
    }

    fn close(mut self, guard: WakeGuard, outcome: Result<(), Error>) {
        let unfinished = self
            .partitions
            .values()
            .filter(|partition| !partition.assignment.has_ended())
            .map(|partition| partition.assignment.held())
            .sum();
        self.commit(None, CommitMode::Sync);
        self.stop_workers(self.partitions.keys().cloned().collect());
        for partition in self.partitions.values() {
            partition.assignment.abandon();
            let _ = partition.batches.send(Batch::new());
        }
        // The client must not close under messages; workers let go of theirs as soon as they are polled.
        let until = Instant::now() + Duration::from_secs(5);
        while self.queue.live() > 0 && Instant::now() < until {
            thread::park_timeout(Duration::from_millis(1));
        }
        if let Some(tell) = self.stopping.as_mut().and_then(|stopping| stopping.tell.take()) {
            let _ = tell.send(Stopped { unfinished });
        }
        let error = outcome.err().unwrap_or(Error::Stopped);
        self.fail.send_replace(Some(Arc::new(error)));
        self.client.context().close();
        drop(guard);
        drop(self.queue);
        // The last reference: this leaves the group.
        drop(self.client);
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
