//! Sending: one owner thread per producer client, and a [`Producer`] handle that any thread may use.
//!
//! [`Producer::send`] copies the record into librdkafka's queue and returns; it never waits. What became of the
//! record arrives at its [`Receipt`], called from the owner thread, exactly once: when the broker confirmed it,
//! when librdkafka gave up, or when the producer closed first. Everything that may block (`flush`, `close`, the
//! destruction of the client) happens on the owner thread.

mod error;
mod handle;
mod owner;
mod receipt;
mod reports;
mod sizes;
#[cfg(test)]
mod tests;
pub mod transactions;

pub use error::ProduceError;
pub use handle::{Producer, Unflushed};
pub use receipt::{Delivered, Receipt, Settle};
pub(crate) use sizes::Sizes;

/// A header to be sent: name, value; `None` is a null value.
pub type Header<'a> = (&'a [u8], Option<&'a [u8]>);

/// A record to be sent. Everything is borrowed, [`Producer::send`] copies it.
///
/// ```
/// # use fusion_runtime::produce::Outgoing;
/// let reply = Outgoing {
///     key: Some(b"42"),
///     value: Some(b"[1,2]"),
///     headers: &[(b"kafka_replyTopic", Some(b"answers"))],
///     ..Outgoing::to("sum")
/// };
/// # assert_eq!(reply.topic, "sum");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition's number; `None` lets the key decide (murmur2, as Kafka's own clients do), and chance where
    /// there is no key.
    pub partition: Option<i32>,
    /// `None` is a missing key, which is not an empty one.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone, which is not an empty value.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since 1970; `None` is now.
    pub timestamp: Option<i64>,
    /// In this order; a name may come more than once.
    pub headers: &'a [Header<'a>],
}

impl<'a> Outgoing<'a> {
    /// A tombstone without key and headers, to be filled in.
    pub fn to(topic: &'a str) -> Outgoing<'a> {
        Outgoing { topic, partition: None, key: None, value: None, timestamp: None, headers: &[] }
    }
}
