//! Requests on their way out.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::{
    Error,
    broker::{TopicError, TopicPolicy, topics},
    consume::{content_type, pairs},
    contract::Envelope,
    dag::{CallError, Delivered, Departure, Forget, PendingReply, Request, Route},
    failure::Code,
    observe::Count,
    produce::{Outgoing, ProduceError, Receipt},
    record::{
        HeadersRef,
        codec::Format,
        wire::{self, HeaderBuf, RequestHeaders},
    },
};

use super::{
    outcomes::Sent,
    replies::Replies,
    requests::{Shared, Waiter, own_topic},
};

/// A request as a record.
struct Ready {
    id: Uuid,
    topic: Cow<'static, str>,
    key: Option<Vec<u8>>,
    value: Vec<u8>,
    headers: HeaderBuf,
    receipt: Receipt,
}

impl Shared {
    /// Turns a request into a record.
    fn ready(&self, Departure { request, delivered }: Departure, reply_to: &str) -> Ready {
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
        let value = match request.envelope {
            Envelope::Headers => request.value,
            Envelope::Json => {
                let mut enveloped = Vec::new();
                let return_topic = Some(reply_to.to_owned());
                wire::Envelope { data: &request.value, return_topic }.write(&mut enveloped);
                enveloped
            }
        };
        let (this, id) = (self.this.clone(), request.id);
        let awaited = delivered.is_some();
        let sent = Sent { this, id, awaited, delivered: Mutex::new(delivered) };
        let receipt = Receipt::Settle(Arc::new(sent), 0);
        Ready { id, topic: request.topic, key: request.key, value, headers, receipt }
    }

    /// Writes one request. What goes wrong is the answer.
    fn write(&self, ready: Ready) {
        let Ready { id, topic, key, value, headers, receipt } = ready;
        let headers = pairs(&headers);
        let record =
            Outgoing { key: key.as_deref(), value: Some(&value), headers: &headers, ..Outgoing::to(&topic) };
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
            Ok(()) if Instant::now() < request.deadline => {
                self.write(self.ready(Departure { request, delivered }, &reply_to));
            }
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
        let (pending, departure) = self.enlist(request);
        if let (Some(departure), Some(inbox)) = (departure, &self.inbox) {
            self.write(self.ready(departure, inbox));
        }
        pending
    }

    fn enlist(&self, request: Request) -> (PendingReply, Option<Departure>) {
        let (reply, pending) = oneshot::channel();
        let waiter = Waiter { topic: request.topic.to_string(), reply };
        let id = request.id;
        let mut pending = PendingReply::new(pending);
        let Some(this) = self.this.upgrade() else { return (pending, None) };
        if self.table.insert(id.as_u128(), waiter) {
            pending = pending.forgotten_by(this.clone(), id);
        }
        if self.closed.load(Ordering::SeqCst) {
            // The answer would come to nobody.
            if let Some(waiter) = self.table.take(id.as_u128()) {
                waiter.close();
            }
            return (pending, None);
        }
        let mut tell = None;
        if request.tell_delivery {
            let (sender, delivered) = oneshot::channel();
            pending = pending.with_delivery(delivered);
            tell = Some(sender);
        }
        match &self.inbox {
            Some(_) if self.is_known(&request.topic) => {
                (pending, Some(Departure { request, delivered: tell }))
            }
            _ => {
                let reply_to = self.inbox.clone().unwrap_or_else(|| self.ephemeral.open(id));
                self.runtime.spawn(async move { this.prepare_and_write(request, reply_to, tell).await });
                (pending, None)
            }
        }
    }

    fn depart(&self, departures: Vec<Departure>) {
        // Without an inbox nothing is enlisted.
        let Some(inbox) = &self.inbox else { return };
        // All are built before the first is queued: what takes time in between makes a batch of its own.
        let ready: Vec<Ready> =
            departures.into_iter().map(|departure| self.ready(departure, inbox)).collect();
        for one in ready {
            self.write(one);
        }
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
