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
const TICK: Duration = Duration::from_millis(50);

/// Is given every reply.
pub(super) trait Receive: Send + Sync + 'static {
    fn receive(&self, message: &Message);
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
                let mut owner = Owner { client, queue, inbox, receive, watched: HashSet::new(), limit };
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
                    Some(error) => {
                        let (topic, partition) = (message.topic(), message.partition());
                        tracing::warn!(topic, partition, ?error, "{}", message.error_text());
                    }
                }
            }
            if let Some(Err(error)) = self.client.poll(Duration::ZERO) {
                tracing::warn!(%error, "consumer of replies");
            }
            if !self.serve_commands() {
                return;
            }
            if taken == 0 && guard.pending() == 0 {
                thread::park_timeout(TICK);
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
