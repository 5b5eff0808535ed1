//! One source partition of a copartitioned window.

use std::sync::Arc;

use crate::{
    broker::ffi::{Batch, Message},
    consume::Taken,
    record::{HeadersRef, RecordRef},
    window::intake::Silence,
};

/// A partition, and how far it was read.
pub(super) struct Input {
    pub(super) topic: Arc<str>,
    pub(super) taken: Taken,
    /// The lowest offset that the last owner had not processed.
    pub(super) high: i64,
    pub(super) silence: Silence,
    /// What was taken and must wait, because others have not been replayed as far.
    pub(super) held: Batch,
    /// Whether its leader is being asked where it ends, and when it may be asked again.
    pub(super) asking: bool,
    pub(super) ask_at: i64,
}

impl Input {
    /// A message as a record of this partition.
    pub(super) fn record<'a>(&'a self, message: &'a Message) -> RecordRef<'a> {
        let headers = message.headers();
        RecordRef {
            topic: &self.topic,
            partition: self.taken.partition,
            offset: message.offset(),
            timestamp: message.timestamp_millis(),
            key: message.key(),
            value: message.value(),
            headers: if headers.is_empty() { HeadersRef::Empty } else { HeadersRef::Native(headers) },
        }
    }
}
