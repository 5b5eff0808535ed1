//! What a route over Kafka is made of: its producer, its way back, its table.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{OnceCell, oneshot},
    time::Instant,
};
use uuid::Uuid;

use crate::{
    Error,
    broker::{Config, TopicPolicy, TopicSpec, topics},
    dag::{CallError, Reply, Route},
    failure::Code,
    observe::Counters,
    produce::Producer,
    record::codec::Format,
};

use super::{
    ephemeral,
    outcomes::Replied,
    reader::{Reader, Source},
    replies::Replies,
    table::Table,
};

/// Sends requests over a producer and reads their replies.
pub(crate) struct Requests {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// For what must outlive a call: the table's entries and tasks.
    pub(super) this: Weak<Shared>,
    pub(super) config: Config,
    pub(super) producer: Producer,
    pub(super) counters: Arc<Counters>,
    pub(super) format: Format,
    pub(super) replies: Replies,
    /// The topic that replies go to; with a topic per request there is none.
    pub(super) inbox: Option<String>,
    pub(super) reader: OnceLock<Reader>,
    pub(super) table: Table<Waiter>,
    /// Random once, then counted on: asking the system for every id would cost more than the rest of a request.
    pub(super) first_id: u128,
    pub(super) asked: AtomicU64,
    pub(super) ephemeral: ephemeral::Topics,
    pub(super) closed: AtomicBool,
    /// Topics that exist.
    known: RwLock<HashSet<String>>,
    /// Topics that are being looked for, so that a thousand requests at once look once.
    looking: Mutex<HashMap<String, Arc<Look>>>,
    pub(super) runtime: tokio::runtime::Handle,
}

/// What all who look for a topic at the same time are told.
type Look = OnceCell<Result<(), Arc<Error>>>;

/// Somebody who waits for a reply.
pub(super) struct Waiter {
    pub(super) topic: String,
    pub(super) reply: oneshot::Sender<Result<Reply, CallError>>,
}

impl Waiter {
    /// There will be no answer.
    pub(super) fn close(self) {
        let error = CallError::new(Code::Handler, self.topic, "the app or pipeline is shutting down");
        let _ = self.reply.send(Err(error.with_retryable(false)));
    }
}

impl Requests {
    /// Makes the way back and returns when it is positioned: the first reply cannot be lost.
    pub(crate) async fn connect(
        config: &Config,
        name: &str,
        producer: Producer,
        counters: Arc<Counters>,
        format: Format,
        replies: Replies,
    ) -> Result<Requests, Error> {
        let inbox = match &replies {
            Replies::Inbox => Some(format!("fusion.inbox.{name}.{}", Uuid::new_v4())),
            Replies::Shared { topic, .. } => Some(topic.clone()),
            Replies::Ephemeral => None,
        };
        let shared = Arc::new_cyclic(|this| Shared {
            this: this.clone(),
            config: config.clone(),
            producer,
            counters,
            format,
            replies,
            inbox,
            reader: OnceLock::new(),
            table: Table::new(),
            first_id: Uuid::new_v4().as_u128(),
            asked: AtomicU64::new(0),
            ephemeral: ephemeral::Topics::default(),
            closed: AtomicBool::new(false),
            known: RwLock::default(),
            looking: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
        });
        let (starting, name) = (shared.clone(), name.to_owned());
        let reader = tokio::task::spawn_blocking(move || starting.start_reader(&name)).await;
        let reader = reader.map_err(|_| Error::Stopped)??;
        let _ = shared.reader.set(reader);
        Ok(Requests { shared })
    }

    pub(crate) fn route(&self) -> Arc<dyn Route> {
        self.shared.clone()
    }

    /// Notes topics that exist, so that they are not looked for.
    pub(crate) fn know<'a>(&self, topics: impl IntoIterator<Item = &'a str>) {
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(topics.into_iter().map(str::to_owned));
    }

    /// Sees to it that a topic exists, as the configuration allows.
    pub(crate) async fn ensure(&self, topic: &str) -> Result<(), Error> {
        self.shared.ensure(topic).await
    }

    /// Tells those who still wait, closes the consumer and deletes the inbox.
    pub(crate) async fn close(&self, until: std::time::Instant) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for waiter in self.shared.table.take_all() {
            waiter.close();
        }
        if let Some(reader) = self.shared.reader.get() {
            reader.stop(until).await;
        }
        let topics = match (&self.shared.replies, self.shared.inbox.clone()) {
            (Replies::Inbox, Some(inbox)) => vec![inbox],
            (Replies::Ephemeral, _) => self.shared.ephemeral.all(),
            _ => return,
        };
        self.shared.delete(topics, until).await;
    }
}

impl Shared {
    fn start_reader(&self, name: &str) -> Result<Reader, Error> {
        let sources = match (&self.replies, &self.inbox) {
            (Replies::Shared { topic, partition }, _) => {
                topics::ensure(&self.config, &[TopicSpec::named(topic)], TopicPolicy::Require)?;
                vec![Source { topic: topic.clone(), partition: *partition, offset: None }]
            }
            (Replies::Inbox, Some(inbox)) => {
                topics::ensure(&self.config, &[own_topic(inbox)], TopicPolicy::default())?;
                vec![Source { topic: inbox.clone(), partition: 0, offset: Some(0) }]
            }
            _ => Vec::new(),
        };
        Reader::start(&self.config, name, sources, Arc::new(Replied(self.this.clone())))
    }

    pub(super) fn is_known(&self, topic: &str) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    pub(super) async fn ensure(&self, topic: &str) -> Result<(), Error> {
        if self.is_known(topic) {
            return Ok(());
        }
        let look = self.looking().entry(topic.to_owned()).or_default().clone();
        let found = look.get_or_init(|| self.look(topic)).await.clone();
        // Whoever asks after a failure looks again.
        let mut looking = self.looking();
        if looking.get(topic).is_some_and(|latest| Arc::ptr_eq(latest, &look)) {
            looking.remove(topic);
        }
        found.map_err(Error::Shared)
    }

    async fn look(&self, topic: &str) -> Result<(), Arc<Error>> {
        let (config, name) = (self.config.clone(), topic.to_owned());
        let ensured = tokio::task::spawn_blocking(move || {
            let policy = config.settings().topics;
            topics::ensure(&config, &[TopicSpec::named(name)], policy)
        });
        ensured.await.map_err(|_| Error::Stopped)?.map_err(Error::from)?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned());
        Ok(())
    }

    fn looking(&self) -> MutexGuard<'_, HashMap<String, Arc<Look>>> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn delete(&self, names: Vec<String>, until: std::time::Instant) {
        if names.is_empty() {
            return;
        }
        let config = self.config.clone();
        let (tell, deleted) = oneshot::channel();
        // A thread of its own: a tokio runtime does not end before its blocking tasks do, and brokers may be away.
        let deleting = std::thread::Builder::new().name("delete-topic".into());
        let started = deleting.spawn(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            drop(tell.send(topics::delete(&config, &names)));
        });
        if let Err(error) = started {
            tracing::warn!(%error, "a reply topic was not deleted; its retention empties it");
        }
        match tokio::time::timeout_at(Instant::from_std(until), deleted).await {
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "a reply topic was not deleted; its retention empties it");
            }
            Err(_) => tracing::warn!("a reply topic was not deleted in time; its retention empties it"),
            Ok(_) => {}
        }
    }
}

/// One partition, and what nobody deletes is empty after an hour.
pub(super) fn own_topic(name: &str) -> TopicSpec {
    let config = [("cleanup.policy", "delete"), ("retention.ms", "3600000")];
    TopicSpec {
        name: name.to_owned(),
        partitions: Some(1),
        config: config.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    }
}
