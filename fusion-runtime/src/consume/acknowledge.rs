//! Every outcome is acknowledged before its offset is committed: reply, error reply, dead letter, `to`.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    app::Produced,
    clock,
    failure::{Code, Failure},
    observe::Count,
    produce::{Header, Outgoing, ProduceError, Receipt},
    record::{
        HeadersRef, Record, RecordRef,
        codec::{Codec, Format},
        wire::{DeadLetter, ErrorBody, HeaderBuf, dead_letter_topic},
    },
};

use super::{
    admit::{Asked, ReplyTo},
    runner::Ran,
    settlements::Settlements,
    shared::{Core, Served},
};

/// How long a reply without a caller's deadline is tried to be delivered.
const REPLY_LIMIT: Duration = Duration::from_secs(30);
/// The pause before a dead letter is sent again.
const PAUSE: Duration = Duration::from_millis(500);

/// What is left to be done for a record whose run has ended.
#[expect(clippy::large_enum_variant, reason = "the large one is the common one, and moved once")]
pub(super) enum Outcome {
    /// Nothing.
    Done,
    /// Its reply, to be sent with those of other records.
    Reply(Answer),
    /// Several, or something that must not be lost.
    Pending(Pin<Box<dyn Future<Output = Acknowledged> + Send>>),
}

/// A record whose outcome is safe.
pub(super) struct Acknowledged {
    pub(super) offset: i64,
}

/// Begins to acknowledge.
pub(super) fn acknowledge(
    core: &Arc<Core>,
    served: &Arc<Served>,
    record: &RecordRef<'_>,
    asked: &Asked,
    ran: Ran,
    listened: bool,
) -> Outcome {
    let value = match ran {
        Ok(Some(value)) => value,
        Ok(None) => return Outcome::Done,
        Err(failure) if *failure.code() == Code::Deadline && asked.is_expired() => {
            // Nobody waits any more, neither for the value nor for the error.
            core.counters.one(Count::Expired);
            return Outcome::Done;
        }
        Err(failure) => {
            core.counters.one(Count::Failed);
            let letter =
                Letter { core: core.clone(), record: record.to_owned(), asked: asked.clone(), failure };
            return Outcome::Pending(Box::pin(letter.post()));
        }
    };
    if listened {
        // An error only says that the last listener has just gone.
        let _ = served.results.send(Produced::new(record, value.clone(), asked.written(core)));
    }
    let to = served.spec.to.filter(|_| !(served.spec.optional && is_null(asked.written(core), &value)));
    let reply = match (&asked.reply, to) {
        (None, None) => return Outcome::Done,
        (Some(reply), None) => reply,
        (_, Some(topic)) => {
            let sending = Sending {
                core: core.clone(),
                record: record.to_owned(),
                asked: asked.clone(),
                value,
                from: served.spec.topic,
                to: topic,
            };
            return Outcome::Pending(Box::pin(sending.send()));
        }
    };
    // The common case: one reply.
    let mut headers = HeaderBuf::new();
    headers.reply(reply.correlation.as_deref(), content_type(asked.format));
    Outcome::Reply(Answer {
        core: core.clone(),
        topic: served.spec.topic,
        offset: record.offset,
        key: record.key.map(<[u8]>::to_vec),
        asked: asked.clone(),
        value,
        headers,
    })
}

/// JSON needs no name: it is what everybody assumes.
pub(crate) fn content_type(format: Format) -> Option<&'static str> {
    (format != Format::Json).then(|| format.content_type())
}

fn is_null(format: Format, value: &[u8]) -> bool {
    value == format.null()
}

/// Headers in the form that is sent.
pub(crate) fn pairs(headers: &HeaderBuf) -> Vec<Header<'_>> {
    headers.iter().map(|(name, value)| (name.as_bytes(), value)).collect()
}

fn reply_record<'a>(
    reply: &'a ReplyTo,
    key: Option<&'a [u8]>,
    value: &'a [u8],
    headers: &'a [Header<'a>],
) -> Outgoing<'a> {
    Outgoing {
        topic: &reply.topic,
        partition: reply.partition,
        key,
        value: Some(value),
        timestamp: None,
        headers,
    }
}

/// Sends until it is delivered, the time is over, or it is clear that it never will be. Only replies have a time.
async fn deliver(core: &Core, record: Outgoing<'_>, until: Option<Instant>) -> Result<(), ProduceError> {
    loop {
        let (tell, told) = oneshot::channel();
        let limit = until.unwrap_or_else(|| Instant::now() + REPLY_LIMIT);
        let sent = core.producer.send_when_ready(record, Receipt::Tell(tell), limit).await;
        let result = match sent {
            Ok(()) => {
                told.await.unwrap_or(Err(ProduceError::Closed { topic: record.topic.to_owned() })).map(|_| ())
            }
            Err(error) => Err(error),
        };
        // A reply topic that is gone does not come back: it was its caller's own. (A new one had time to become known.)
        let gone = until.is_some() && matches!(result, Err(ProduceError::UnknownTopic { .. }));
        match result {
            Err(error)
                if error.is_retryable() && !gone && until.is_none_or(|until| Instant::now() < until) =>
            {
                tracing::warn!(%error, "not delivered yet, it is sent again");
                match until {
                    Some(until) => sleep_until(until.min(Instant::now() + PAUSE)).await,
                    None => sleep(PAUSE).await,
                }
            }
            result => return result,
        }
    }
}

/// A reply that is ready to be sent.
pub(super) struct Answer {
    core: Arc<Core>,
    topic: &'static str,
    offset: i64,
    key: Option<Vec<u8>>,
    asked: Asked,
    value: Vec<u8>,
    headers: HeaderBuf,
}

impl Answer {
    /// Queues it; the report comes back by the record's offset. If it cannot be queued, what is left to be done.
    pub(super) fn send(
        self,
        settlements: &Arc<Settlements>,
    ) -> Option<Pin<Box<dyn Future<Output = Acknowledged> + Send>>> {
        let Some(reply) = &self.asked.reply else { return Some(Box::pin(self.deliver())) };
        let receipt = Receipt::Settle(settlements.clone(), self.offset.cast_unsigned());
        let headers = pairs(&self.headers);
        let record = reply_record(reply, self.key.as_deref(), &self.value, &headers);
        settlements.expect();
        match self.core.producer.send(record, receipt) {
            Ok(()) => None,
            // If there is only no room, that may pass; otherwise the same error comes again.
            Err(_) => {
                settlements.forget();
                drop(headers);
                Some(Box::pin(self.deliver()))
            }
        }
    }

    async fn deliver(self) -> Acknowledged {
        let Answer { core, topic, offset, key, asked, value, headers } = self;
        if let Some(reply) = &asked.reply {
            let key = key.as_deref();
            match deliver_reply(&core, reply, key, asked.deadline, &value, &headers).await {
                Ok(()) => core.counters.one(Count::Replies),
                Err(error @ ProduceError::TooLarge { .. }) => {
                    let failure = Failure::new(Code::TooLarge, error.to_string());
                    error_reply(&core, reply, key, asked.deadline, &failure, topic).await;
                }
                Err(error) => {
                    core.counters.one(Count::RepliesLost);
                    tracing::warn!(%error, "a reply could not be delivered");
                }
            }
        }
        Acknowledged { offset }
    }
}

/// Sends a reply, without the request's key if that is what makes it too large: the caller does not need it.
async fn deliver_reply(
    core: &Core,
    reply: &ReplyTo,
    key: Option<&[u8]>,
    deadline: Option<Instant>,
    value: &[u8],
    headers: &HeaderBuf,
) -> Result<(), ProduceError> {
    let until = deadline.unwrap_or_else(|| Instant::now() + REPLY_LIMIT);
    let headers = pairs(headers);
    match deliver(core, reply_record(reply, key, value, &headers), Some(until)).await {
        Err(ProduceError::TooLarge { .. }) if key.is_some() => {
            deliver(core, reply_record(reply, None, value, &headers), Some(until)).await
        }
        result => result,
    }
}

/// Tells a caller that its request failed.
async fn error_reply(
    core: &Core,
    reply: &ReplyTo,
    key: Option<&[u8]>,
    deadline: Option<Instant>,
    failure: &Failure,
    topic: &str,
) {
    let body = ErrorBody {
        code: failure.code().as_str(),
        message: failure.message(),
        topic,
        retryable: failure.is_retryable(),
    };
    let (mut headers, mut value) = (HeaderBuf::new(), Vec::new());
    headers.error_reply(reply.correlation.as_deref(), &body, &mut value);
    match deliver_reply(core, reply, key, deadline, &value, &headers).await {
        Ok(()) => core.counters.one(Count::Replies),
        Err(error) => {
            core.counters.one(Count::RepliesLost);
            tracing::warn!(%error, "an error reply could not be delivered");
        }
    }
}

/// A record that was given up: the caller hears of it at once, then it goes to the dead-letter topic.
struct Letter {
    core: Arc<Core>,
    record: Record,
    asked: Asked,
    failure: Failure,
}

impl Letter {
    async fn post(self) -> Acknowledged {
        let Letter { core, record, asked, failure } = self;
        let (topic, partition, offset) = (&*record.topic, record.partition, record.offset);
        tracing::warn!(topic, partition, offset, code = failure.code().as_str(), "{}", failure.message());
        if let Some(reply) = &asked.reply {
            error_reply(&core, reply, record.key.as_deref(), asked.deadline, &failure, topic).await;
        }
        let dead_letters = dead_letter_topic(topic);
        // What came in may be larger than what this app may send. Then it goes without value and headers, and at last
        // without its key: where it came from is told all the same, and it is still there.
        let (mut whole, mut keyed) = (true, true);
        loop {
            let headers = letter_headers(&core, &record, &failure, whole);
            let pairs = pairs(&headers);
            let outgoing = Outgoing {
                topic: &dead_letters,
                partition: None,
                key: record.key.as_deref().filter(|_| keyed),
                value: record.value.as_deref().filter(|_| whole),
                timestamp: record.timestamp.map(clock::sendable),
                headers: &pairs,
            };
            match deliver(&core, outgoing, None).await {
                Ok(()) => {
                    core.counters.one(Count::DeadLetters);
                    return Acknowledged { offset };
                }
                Err(error @ ProduceError::TooLarge { .. }) if keyed => {
                    tracing::warn!(%error, "a dead letter is sent without what is too large");
                    (whole, keyed) = (false, whole);
                }
                Err(error) => {
                    // The record stays uncommitted rather than being lost.
                    tracing::error!(%error, topic, partition, offset, "a dead letter is not delivered, it is tried again");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

fn letter_headers(core: &Core, record: &Record, failure: &Failure, whole: bool) -> HeaderBuf {
    let mut record = record.as_ref();
    if !whole {
        record.headers = HeadersRef::Empty;
    }
    let mut headers = HeaderBuf::new();
    headers.dead_letter(&DeadLetter {
        record,
        group: &core.app,
        code: failure.code().as_str(),
        message: failure.message(),
    });
    headers
}

/// A value for `to`, and for the caller if there is one.
struct Sending {
    core: Arc<Core>,
    record: Record,
    asked: Asked,
    value: Vec<u8>,
    from: &'static str,
    to: &'static str,
}

impl Sending {
    async fn send(self) -> Acknowledged {
        let Sending { core, record, asked, value, from, to } = self;
        let content_type = content_type(asked.written(&core));
        let header = content_type
            .map(|name| (crate::record::wire::name::CONTENT_TYPE.as_bytes(), Some(name.as_bytes())));
        let outgoing = Outgoing {
            topic: to,
            partition: None,
            key: record.key.as_deref(),
            value: Some(&value),
            timestamp: record.timestamp.map(clock::sendable),
            headers: header.as_slice(),
        };
        loop {
            match deliver(&core, outgoing, None).await {
                Ok(()) => break,
                Err(error @ (ProduceError::TooLarge { .. } | ProduceError::UnknownTopic { .. })) => {
                    let code = if matches!(error, ProduceError::TooLarge { .. }) {
                        Code::TooLarge
                    } else {
                        Code::UnknownTopic
                    };
                    core.counters.one(Count::Failed);
                    let failure = Failure::new(code, error.to_string());
                    return Letter { core, record, asked, failure }.post().await;
                }
                Err(error) => {
                    tracing::error!(%error, topic = to, "a value cannot be sent, it is tried again");
                    sleep(PAUSE).await;
                }
            }
        }
        core.counters.one(Count::Sent);
        let offset = record.offset;
        if asked.reply.is_none() {
            return Acknowledged { offset };
        }
        let mut headers = HeaderBuf::new();
        if let Some(reply) = &asked.reply {
            headers.reply(reply.correlation.as_deref(), content_type);
        }
        Answer { core, topic: from, offset, key: record.key, asked, value, headers }.deliver().await
    }
}
