//! What becomes of requests: delivered or not, and answered.

use std::sync::{Mutex, PoisonError, Weak};

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    broker::ffi::Message,
    dag::{CallError, Delivered, Reply},
    failure::Code,
    observe::Count,
    produce::{self, ProduceError},
    record::{
        HeadersRef,
        codec::{Codec, Format},
        wire::{ErrorReply, ReplyHeaders, correlation_id},
    },
};

use super::{ephemeral, reader::Receive, replies::Replies, requests::Shared};

/// A request on its way out.
pub(super) struct Sent {
    pub(super) this: Weak<Shared>,
    pub(super) id: Uuid,
    /// Somebody wants to know where it was written.
    pub(super) awaited: bool,
    pub(super) delivered: Mutex<Option<oneshot::Sender<Delivered>>>,
}

impl produce::Settle for Sent {
    fn is_urgent(&self) -> bool {
        self.awaited
    }

    fn settled(&self, _: u64, result: Result<produce::Delivered, ProduceError>) {
        match result {
            Ok(produce::Delivered { partition, offset, .. }) => {
                let waiting = self.delivered.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(waiting) = waiting {
                    let _ = waiting.send(Delivered { partition, offset });
                }
            }
            Err(error) => {
                if let Some(shared) = self.this.upgrade() {
                    shared.fail(self.id, &error);
                }
            }
        }
    }
}

/// What the reader gives replies to. It does not keep the requests alive, or nothing would ever end.
pub(super) struct Replied(pub(super) Weak<Shared>);

impl Receive for Replied {
    fn gap(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.counters.one(Count::ReplyGaps);
        }
    }

    fn receive(&self, message: &Message) {
        let Some(shared) = self.0.upgrade() else { return };
        let reply = ReplyHeaders::read(HeadersRef::Native(message.headers()));
        let id = match shared.replies {
            // fusion-clj's reactors echo no id; the topic is the id.
            Replies::Ephemeral => ephemeral::id(message.topic()),
            _ => reply.correlation.and_then(correlation_id),
        };
        let Some(id) = id else {
            shared.counters.one(Count::UnreadableReplies);
            return;
        };
        let Some(waiter) = shared.table.take(id) else {
            // Late, repeated, or another member's on a shared topic.
            shared.counters.one(Count::UnknownReplies);
            return;
        };
        let answer = match reply.error {
            Some(error) => {
                let error = ErrorReply::read(error, message.value());
                let topic = error.topic.unwrap_or(waiter.topic);
                Err(CallError::new(error.code, topic, error.message).with_retryable(error.retryable))
            }
            None => match reply.content_type.map_or(Some(Format::Json), Format::from_content_type) {
                Some(format) => {
                    Ok(Reply { value: message.value().unwrap_or(format.null()).to_vec(), format })
                }
                None => {
                    let name = reply.content_type.unwrap_or_default();
                    let text = format!("no codec for the reply's content type `{name}`");
                    Err(CallError::new(Code::Decode, waiter.topic, text))
                }
            },
        };
        let _ = waiter.reply.send(answer);
    }
}
