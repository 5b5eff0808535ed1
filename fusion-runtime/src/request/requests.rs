//! Sending requests, and completing them.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::{OnceCell, oneshot},
    time::Instant,
};
use uuid::Uuid;

use crate::{
    Error,
    broker::{Config, TopicError, TopicPolicy, TopicSpec, topics},
    consume::{content_type, pairs},
    contract::Envelope,
    dag::{CallError, Delivered, Forget, PendingReply, Reply, Request, Route},
    failure::Code,
    observe::{Count, Counters},
    produce::{Outgoing, ProduceError, Producer, Receipt},
    record::{
        HeadersRef,
        codec::Format,
        wire::{self, HeaderBuf, RequestHeaders},
    },
};

use super::{
    ephemeral,
    outcomes::{Replied, Sent},
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
    this: Weak<Shared>,
    config: Config,
    producer: Producer,
    pub(super) counters: Arc<Counters>,
    format: Format,
    pub(super) replies: Replies,
    /// The topic that replies go to; with a topic per request there is none.
    inbox: Option<String>,
    reader: OnceLock<Reader>,
    pub(super) table: Table<Waiter>,
    /// Random once, then counted on: asking the system for every id would cost more than the rest of a request.
    first_id: u128,
    asked: AtomicU64,
    ephemeral: ephemeral::Topics,
    closed: AtomicBool,
    /// Topics that exist.
    known: RwLock<HashSet<String>>,
    /// Topics that are being looked for, so that a thousand requests at once look once.
    looking: Mutex<HashMap<String, Arc<Look>>>,
    runtime: tokio::runtime::Handle,
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
    fn close(self) {
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

    fn is_known(&self, topic: &str) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    async fn ensure(&self, topic: &str) -> Result<(), Error> {
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

    async fn delete(&self, names: Vec<String>, until: std::time::Instant) {
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

    /// Writes one request. What goes wrong is the answer.
    fn write(&self, request: &Request, reply_to: &str, delivered: Option<oneshot::Sender<Delivered>>) {
        let mut headers = HeaderBuf::new();
        let reply_partition = match &self.replies {
            Replies::Shared { partition, .. } => Some(*partition),
            _ => None,
        };
        // Ours come last: of several with one name the last one counts.
        headers.copy(HeadersRef::from(&request.headers));
        headers.request(&RequestHeaders {
            reply_to: Some(reply_to),
            reply_partition,
            correlation: Some(request.id.as_u128()),
            deadline: Some(epoch_millis(request.deadline)),
            hops: Some(request.hops),
            content_type: content_type(self.format),
            traceparent: request.traceparent.as_deref(),
        });
        let mut enveloped = Vec::new();
        let value = match request.envelope {
            Envelope::Headers => &request.value,
            Envelope::Json => {
                let return_topic = Some(reply_to.to_owned());
                wire::Envelope { data: &request.value, return_topic }.write(&mut enveloped);
                &enveloped
            }
        };
        let (this, id) = (self.this.clone(), request.id);
        let awaited = delivered.is_some();
        let sent = Sent { this, id, awaited, delivered: Mutex::new(delivered) };
        let receipt = Receipt::Settle(Arc::new(sent), 0);
        let headers = pairs(&headers);
        let record = Outgoing {
            key: request.key.as_deref(),
            value: Some(value),
            headers: &headers,
            ..Outgoing::to(&request.topic)
        };
        self.counters.one(Count::Requests);
        if let Err(error) = self.producer.send(record, receipt) {
            self.fail(id, &error);
        }
    }

    /// A request that could not be sent is answered with that.
    pub(super) fn fail(&self, id: Uuid, error: &ProduceError) {
        if let Some(waiter) = self.table.take(id.as_u128()) {
            let code = match error {
                ProduceError::TooLarge { .. } => Code::TooLarge,
                ProduceError::UnknownTopic { .. } => Code::UnknownTopic,
                _ => Code::Timeout,
            };
            let error =
                CallError::new(code, waiter.topic, error.to_string()).with_retryable(error.is_retryable());
            let _ = waiter.reply.send(Err(error));
        }
    }

    /// Looks for a topic, or makes it, before a request goes out.
    async fn prepare_and_write(
        &self,
        request: Request,
        reply_to: String,
        delivered: Option<oneshot::Sender<Delivered>>,
    ) {
        let prepared = async {
            self.ensure(&request.topic).await?;
            match &self.inbox {
                Some(_) => Ok(()),
                None => self.make_ephemeral(request.id, &reply_to).await,
            }
        };
        match prepared.await {
            // Otherwise the caller's own time is over, and it has said so itself.
            Ok(()) if Instant::now() < request.deadline => self.write(&request, &reply_to, delivered),
            Ok(()) => {}
            Err::<_, Error>(error) => {
                if let Some(waiter) = self.table.take(request.id.as_u128()) {
                    let error = CallError::new(not_prepared(&error), waiter.topic, error.to_string());
                    let _ = waiter.reply.send(Err(error));
                }
            }
        }
    }

    async fn make_ephemeral(&self, id: Uuid, topic: &str) -> Result<(), Error> {
        let (config, spec) = (self.config.clone(), own_topic(topic));
        let made =
            tokio::task::spawn_blocking(move || topics::ensure(&config, &[spec], TopicPolicy::default()));
        made.await.map_err(|_| Error::Stopped)??;
        let reader = self.reader.get().ok_or(Error::Stopped)?;
        reader.watch(topic.to_owned()).await?;
        if !self.ephemeral.serves(id, topic) {
            // Its caller has gone meanwhile, and deleted it before it was there.
            self.end_ephemeral(topic.to_owned());
        }
        Ok(())
    }

    /// Deletes a topic that served one attempt, without anybody waiting for it.
    fn end_ephemeral(&self, topic: String) {
        if let Some(reader) = self.reader.get() {
            reader.unwatch(topic.clone());
        }
        let Some(this) = self.this.upgrade() else { return };
        let until = std::time::Instant::now() + Duration::from_secs(30);
        self.runtime.spawn(async move {
            this.delete(vec![topic.clone()], until).await;
            this.ephemeral.deleted(&topic);
        });
    }
}

/// A topic that is not there stays away; brokers that do not answer may come back.
fn not_prepared(error: &Error) -> Code {
    match error {
        Error::Topic(TopicError::Unreachable { .. } | TopicError::NoLeader { .. }) => Code::Timeout,
        Error::Shared(error) => not_prepared(error),
        _ => Code::UnknownTopic,
    }
}

/// One partition, and what nobody deletes is empty after an hour.
fn own_topic(name: &str) -> TopicSpec {
    let config = [("cleanup.policy", "delete"), ("retention.ms", "3600000")];
    TopicSpec {
        name: name.to_owned(),
        partitions: Some(1),
        config: config.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    }
}

/// A time of ours as one of the wire.
fn epoch_millis(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + left;
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

impl Route for Shared {
    fn format(&self) -> Format {
        self.format
    }

    fn id(&self) -> Uuid {
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(self.first_id.wrapping_add(u128::from(count)))
    }

    fn send(&self, request: Request) -> PendingReply {
        let (reply, pending) = oneshot::channel();
        let waiter = Waiter { topic: request.topic.to_string(), reply };
        let id = request.id;
        let mut pending = PendingReply::new(pending);
        let Some(this) = self.this.upgrade() else { return pending };
        if self.table.insert(id.as_u128(), waiter) {
            pending = pending.forgotten_by(this.clone(), id);
        }
        if self.closed.load(Ordering::SeqCst) {
            // The answer would come to nobody.
            if let Some(waiter) = self.table.take(id.as_u128()) {
                waiter.close();
            }
            return pending;
        }
        let mut tell = None;
        if request.tell_delivery {
            let (sender, delivered) = oneshot::channel();
            pending = pending.with_delivery(delivered);
            tell = Some(sender);
        }
        match &self.inbox {
            Some(inbox) if self.is_known(&request.topic) => self.write(&request, inbox, tell),
            _ => {
                let reply_to = self.inbox.clone().unwrap_or_else(|| self.ephemeral.open(id));
                self.runtime.spawn(async move { this.prepare_and_write(request, reply_to, tell).await });
            }
        }
        pending
    }
}

impl Forget for Shared {
    fn forget(&self, id: Uuid) {
        self.table.take(id.as_u128());
        if let Some(topic) = self.ephemeral.close(id) {
            self.end_ephemeral(topic);
        }
    }
}
