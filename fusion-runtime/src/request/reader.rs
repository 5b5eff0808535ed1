//! The thread that owns the consumer of replies.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio::sync::oneshot;

use crate::{
    Error,
    broker::{
        Config, LogContext,
        ffi::{Message, MessageError, OwnQueue, WakeGuard},
    },
};

const BATCH: usize = 1024;
/// How long the broker may take to say where a partition begins; nothing is read meanwhile.
const GAP_LIMIT: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(50);

/// Is given every reply.
pub(super) trait Receive: Send + Sync + 'static {
    fn receive(&self, message: &Message);

    /// Replies may have been deleted before they were read.
    fn gap(&self);
}

/// Reads partitions from given offsets on. It belongs to no group.
pub(super) struct Reader {
    commands: mpsc::Sender<Command>,
    thread: Thread,
    /// Ends with the thread.
    closed: Mutex<Option<oneshot::Receiver<()>>>,
}

enum Command {
    Watch { topic: String, tell: oneshot::Sender<Result<(), Error>> },
    Unwatch { topic: String },
    Stop,
}

/// A partition to read, and the offset to begin at.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// `None`: the end, as it is now.
    pub(super) offset: Option<i64>,
}

impl Reader {
    /// Starts to read. It returns when the position is fixed: no reply that is sent from now on is lost. It blocks.
    pub(super) fn start(
        config: &Config,
        name: &str,
        sources: Vec<Source>,
        receive: Arc<dyn Receive>,
    ) -> Result<Reader, Error> {
        let client: Arc<BaseConsumer<LogContext>> = Arc::new(
            config
                .assigned_consumer(name)?
                .create_with_context(LogContext::default())
                .map_err(|error| Error::client("consumer of replies", error))?,
        );
        let limit = config.settings().connect_limit;
        let (commands, inbox) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let (closing, closed) = oneshot::channel::<()>();
        let handle = thread::Builder::new()
            .name(format!("{name}-replies"))
            .spawn(move || {
                let queue = OwnQueue::new(&client);
                let mut owner = Owner {
                    client,
                    queue,
                    inbox,
                    receive,
                    watched: HashSet::new(),
                    out_of_range: HashSet::new(),
                    limit,
                };
                let watched = owner.watch(sources);
                let go_on = watched.is_ok();
                let _ = tell.send(watched);
                if go_on {
                    owner.run();
                }
                owner.close();
                drop(closing);
            })
            .map_err(|error| Error::Thread { name: "consumer of replies", error })?;
        told.recv().map_err(|_| Error::Stopped)??;
        let thread = handle.thread().clone();
        Ok(Reader { commands, thread, closed: Mutex::new(Some(closed)) })
    }

    /// Reads a new topic's only partition, too. It is positioned when this returns.
    pub(super) async fn watch(&self, topic: String) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        self.command(Command::Watch { topic, tell });
        told.await.map_err(|_| Error::Stopped)?
    }

    pub(super) fn unwatch(&self, topic: String) {
        self.command(Command::Unwatch { topic });
    }

    fn command(&self, command: Command) {
        // If the thread has ended, nobody reads any more, and nobody needs to be told.
        let _ = self.commands.send(command);
        self.thread.unpark();
    }

    /// Closes the consumer, or leaves it behind if that takes longer than `until`.
    pub(super) async fn stop(&self, until: Instant) {
        self.command(Command::Stop);
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(closed) = closed {
            // Not joined: a tokio runtime does not end before its blocking tasks do.
            let _ = tokio::time::timeout_at(tokio::time::Instant::from_std(until), closed).await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.command(Command::Stop);
    }
}

struct Owner {
    client: Arc<BaseConsumer<LogContext>>,
    queue: OwnQueue,
    inbox: mpsc::Receiver<Command>,
    receive: Arc<dyn Receive>,
    watched: HashSet<(String, i32)>,
    /// Partitions whose next offset is not in the log: they are not read before they have another one.
    out_of_range: HashSet<(String, i32)>,
    limit: Duration,
}

impl Owner {
    /// Reads more, beside what is read already.
    fn watch(&mut self, more: Vec<Source>) -> Result<(), Error> {
        let failed = |error| Error::client("consumer of replies", error);
        let forwarder = self.queue.forwarder();
        let mut list = TopicPartitionList::new();
        for Source { topic, partition, offset } in more {
            // An assign before the leader is known costs half a second, so the topic's metadata comes first.
            let offset = match offset {
                Some(offset) => {
                    self.client.fetch_metadata(Some(&topic), self.limit).map_err(failed)?;
                    offset
                }
                None => self.client.fetch_watermarks(&topic, partition, self.limit).map_err(failed)?.1,
            };
            if !forwarder.forward(&self.client, &topic, partition) {
                tracing::error!(topic, partition, "the partition could not be forwarded");
            }
            list.add_partition_offset(&topic, partition, Offset::Offset(offset)).map_err(failed)?;
            self.watched.insert((topic, partition));
        }
        self.client.incremental_assign(&list).map_err(failed)
    }

    fn unwatch(&mut self, topic: &str) {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in self.watched.extract_if(|(watched, _)| watched == topic) {
            list.add_partition(&topic, partition);
        }
        if list.count() > 0
            && let Err(error) = self.client.incremental_unassign(&list)
        {
            tracing::warn!(%error, topic, "a reply topic is still read");
        }
    }

    fn run(&mut self) {
        let thread = thread::current();
        self.queue.wake(thread.clone());
        let guard = WakeGuard::for_consumer(&self.client, thread);
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            let taken = self.queue.take(BATCH, &mut messages);
            for message in messages.drain(..) {
                match message.error() {
                    None => self.receive.receive(&message),
                    Some(MessageError::EndOfPartition) => {}
                    Some(MessageError::OffsetOutOfRange) => {
                        let (topic, partition) = (message.topic(), message.partition());
                        tracing::warn!(
                            topic,
                            partition,
                            offset = message.offset(),
                            "replies were deleted unread"
                        );
                        self.receive.gap();
                        self.out_of_range.insert((topic.to_owned(), partition));
                    }
                    Some(error) => {
                        let (topic, partition) = (message.topic(), message.partition());
                        tracing::warn!(topic, partition, ?error, "{}", message.error_text());
                    }
                }
            }
            self.reposition();
            if let Some(Err(error)) = self.client.poll(Duration::ZERO) {
                // The client's context was told of it, too, and logs it.
                tracing::debug!(%error, "consumer of replies");
            }
            if !self.serve_commands() {
                return;
            }
            if taken == 0 && guard.pending() == 0 {
                thread::park_timeout(TICK);
            }
        }
    }

    /// Goes on with the oldest reply that is left. Those read before are read again after a truncation; whoever waited
    /// for them has gone.
    fn reposition(&mut self) {
        for (topic, partition) in std::mem::take(&mut self.out_of_range) {
            if !self.watched.contains(&(topic.clone(), partition)) {
                continue;
            }
            let mut list = TopicPartitionList::new();
            list.add_partition(&topic, partition);
            if let Err(error) = self.client.incremental_unassign(&list) {
                // It was taken back by an attempt before this one.
                tracing::debug!(%error, topic, partition, "unassign");
            }
            let start = self.client.fetch_watermarks(&topic, partition, GAP_LIMIT);
            let again =
                start.map_err(|error| Error::client("consumer of replies", error)).and_then(|(low, _)| {
                    self.watch(vec![Source { topic: topic.clone(), partition, offset: Some(low) }])
                });
            if let Err(error) = again {
                tracing::warn!(%error, topic, partition, "replies are not read yet");
                self.out_of_range.insert((topic, partition));
            }
        }
    }

    /// `false`: it is over.
    fn serve_commands(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(Command::Watch { topic, tell }) => {
                    let _ = tell.send(self.watch(vec![Source { topic, partition: 0, offset: Some(0) }]));
                }
                Ok(Command::Unwatch { topic }) => self.unwatch(&topic),
                Ok(Command::Stop) | Err(mpsc::TryRecvError::Disconnected) => return false,
                Err(mpsc::TryRecvError::Empty) => return true,
            }
        }
    }

    fn close(self) {
        drop(self.queue);
        drop(self.client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::produce::{Outgoing, Producer, Receipt};

    struct Seen {
        offsets: tokio::sync::mpsc::UnboundedSender<i64>,
        gaps: std::sync::atomic::AtomicUsize,
    }

    impl Receive for Seen {
        fn receive(&self, message: &Message) {
            let _ = self.offsets.send(message.offset());
        }

        fn gap(&self) {
            self.gaps.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn replies_are_read_on_from_the_beginning_when_their_offset_is_not_in_the_log() {
        let config = Config::embedded().unwrap();
        config.embedded_broker().unwrap().create_topic("replies", 1).unwrap();
        let producer = Producer::start(&config).unwrap();
        let send = async || {
            let (tell, told) = oneshot::channel();
            producer.send(Outgoing::to("replies"), Receipt::Tell(tell)).unwrap();
            told.await.unwrap().unwrap();
        };
        send().await;
        send().await;
        let (offsets, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let receive = Arc::new(Seen { offsets, gaps: 0.into() });
        let (to, reading) = (receive.clone(), config.clone());
        // As if the log had been cut off below.
        let source = Source { topic: "replies".to_owned(), partition: 0, offset: Some(40) };
        let reader = tokio::task::spawn_blocking(move || Reader::start(&reading, "gap", vec![source], to));
        let reader = reader.await.unwrap().unwrap();
        let mut next = async || tokio::time::timeout(Duration::from_secs(20), seen.recv()).await.unwrap();
        assert_eq!((next().await, next().await), (Some(0), Some(1)));
        send().await;
        assert_eq!(next().await, Some(2));
        assert_eq!(receive.gaps.load(std::sync::atomic::Ordering::SeqCst), 1);
        reader.stop(Instant::now() + Duration::from_secs(5)).await;
    }
}
