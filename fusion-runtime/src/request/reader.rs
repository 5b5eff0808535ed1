//! The thread that owns the consumer of replies.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle, Thread},
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
    handle: Mutex<Option<JoinHandle<()>>>,
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
        let handle = thread::Builder::new()
            .name(format!("{name}-replies"))
            .spawn(move || {
                let queue = OwnQueue::new(&client);
                let mut owner = Owner { client, queue, inbox, receive, watched: Vec::new(), limit };
                let watched = owner.watch(sources);
                let go_on = watched.is_ok();
                let _ = tell.send(watched);
                if go_on {
                    owner.run();
                }
                owner.close();
            })
            .map_err(|error| Error::Thread { name: "consumer of replies", error })?;
        told.recv().map_err(|_| Error::Stopped)??;
        let thread = handle.thread().clone();
        Ok(Reader { commands, thread, handle: Mutex::new(Some(handle)) })
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
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            let closed = tokio::task::spawn_blocking(move || handle.join());
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
    watched: Vec<Source>,
    limit: Duration,
}

impl Owner {
    fn watch(&mut self, more: Vec<Source>) -> Result<(), Error> {
        let failed = |error| Error::client("consumer of replies", error);
        for Source { topic, partition, offset } in more {
            // An assign before the leader is known costs half a second, so the topic's metadata comes first.
            let offset = match offset {
                Some(offset) => {
                    self.client.fetch_metadata(Some(&topic), self.limit).map_err(failed)?;
                    offset
                }
                None => self.client.fetch_watermarks(&topic, partition, self.limit).map_err(failed)?.1,
            };
            self.watched.push(Source { topic, partition, offset: Some(offset) });
        }
        self.assign()
    }

    /// Assigns everything. What was read already is skipped by whoever receives it: its request waits no more.
    fn assign(&mut self) -> Result<(), Error> {
        let failed = |error| Error::client("consumer of replies", error);
        let forwarder = self.queue.forwarder();
        let mut list = TopicPartitionList::new();
        for Source { topic, partition, offset } in &self.watched {
            if !forwarder.forward(&self.client, topic, *partition) {
                tracing::error!(topic, partition, "the partition could not be forwarded");
            }
            list.add_partition_offset(topic, *partition, Offset::Offset(offset.unwrap_or(0)))
                .map_err(failed)?;
        }
        self.client.assign(&list).map_err(failed)
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
                Ok(Command::Unwatch { topic }) => {
                    self.watched.retain(|watched| watched.topic != topic);
                    if let Err(error) = self.assign() {
                        tracing::warn!(%error, "a reply topic is still read");
                    }
                }
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
