//! Every header and body that fusion gives a meaning to, as pure functions from bytes and to bytes.
//!
//! What arrives is read in one pass: a request's headers as a [`Call`], a reply's as [`ReplyHeaders`]. What leaves
//! is put together in a [`HeaderBuf`], which is used again and again. The names are those of Spring Kafka and
//! NestJS, so that their clients and ours understand each other without a setting on either side.
//!
//! In everything that is read, a header without a value counts as not sent, and of several with one name the last
//! one counts.

mod buf;
mod call;
mod dead_letter;
mod envelope;
mod reply;

pub use buf::HeaderBuf;
pub use call::{Call, Fault, Faults, RequestHeaders};
pub use dead_letter::{DeadLetter, dead_letter_topic};
pub use envelope::{Envelope, EnvelopeError, only_element};
pub use reply::{ErrorBody, ErrorReply, ReplyError, ReplyHeaders};

/// The names of headers.
pub mod name {
    /// Where the reply goes: a topic, UTF-8.
    pub const REPLY_TOPIC: &str = "kafka_replyTopic";
    /// To which partition of it: written as four bytes, big-endian; NestJS writes decimal text.
    pub const REPLY_PARTITION: &str = "kafka_replyPartition";
    /// What the reply carries back unchanged. Ours is 36 bytes of UUID text, others' is anything.
    pub const CORRELATION: &str = "kafka_correlationId";
    /// Until when the caller waits: milliseconds since 1970, decimal text.
    pub const DEADLINE: &str = "fusion-deadline";
    /// Through how many services a request has gone: decimal text, 1 in the first request.
    pub const HOPS: &str = "fusion-hops";
    /// The format of the value; JSON when there is none.
    pub const CONTENT_TYPE: &str = "content-type";
    /// The trace that the request belongs to, as W3C's Trace Context writes it.
    pub const TRACEPARENT: &str = "traceparent";
    /// On a failed reply: the code.
    pub const ERROR: &str = "fusion-error";
    /// On a failed reply: what NestJS callers take for the error.
    pub const NEST_ERROR: &str = "kafka_nest-err";
    /// On every reply: one zero byte, without which NestJS callers never complete.
    pub const NEST_IS_DISPOSED: &str = "kafka_nest-is-disposed";
    /// On a dead letter: the topic it was read from, UTF-8.
    pub const DLT_TOPIC: &str = "kafka_dlt-original-topic";
    /// On a dead letter: the partition, four bytes, big-endian.
    pub const DLT_PARTITION: &str = "kafka_dlt-original-partition";
    /// On a dead letter: the offset, eight bytes, big-endian.
    pub const DLT_OFFSET: &str = "kafka_dlt-original-offset";
    /// On a dead letter: the timestamp in milliseconds since 1970, eight bytes, big-endian.
    pub const DLT_TIMESTAMP: &str = "kafka_dlt-original-timestamp";
    /// On a dead letter: what kind of timestamp it is.
    pub const DLT_TIMESTAMP_TYPE: &str = "kafka_dlt-original-timestamp-type";
    /// On a dead letter: the consumer group that could not handle it.
    pub const DLT_GROUP: &str = "kafka_dlt-original-consumer-group";
    /// On a dead letter: the code. Spring puts a Java class here.
    pub const DLT_ERROR: &str = "kafka_dlt-exception-fqcn";
    /// On a dead letter: what happened, for people.
    pub const DLT_MESSAGE: &str = "kafka_dlt-exception-message";
}

/// Longer messages of failures are cut, in bytes: they travel in headers, whose whole block brokers and clients
/// bound.
pub const MESSAGE_LIMIT: usize = 4096;

/// A correlation id as it is written: 36 bytes, a UUID in lower case with hyphens.
///
/// ```
/// use fusion_runtime::record::wire::{correlation_id, correlation_text};
/// let text = correlation_text(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
/// assert_eq!(&text, b"67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(correlation_id(&text), Some(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8));
/// ```
pub fn correlation_text(id: u128) -> [u8; 36] {
    let mut text = [b'-'; 36];
    for (byte, at) in id.to_be_bytes().into_iter().zip(HEX_PAIRS) {
        text[at] = hex_digit(byte >> 4);
        text[at + 1] = hex_digit(byte & 0xf);
    }
    text
}

/// Reads [`correlation_text`], in either case. `None` for anything else: then the id is not one of ours.
pub fn correlation_id(text: &[u8]) -> Option<u128> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if HYPHENS.into_iter().any(|at| text[at] != b'-') {
        return None;
    }
    let mut id = 0;
    for at in HEX_PAIRS {
        let high = char::from(text[at]).to_digit(16)?;
        let low = char::from(text[at + 1]).to_digit(16)?;
        id = id << 8 | u128::from(high << 4 | low);
    }
    Some(id)
}

/// Where the 16 bytes and the hyphens of a UUID's text are.
const HEX_PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

fn hex_digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'a' + half - 10 }
}

/// Whether Kafka allows a topic of this name: 1 to 249 of `[A-Za-z0-9._-]`, not `.` or `..`.
pub fn is_topic_name(name: &[u8]) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'.' | b'_' | b'-');
    // Every request's reply topic goes through here: without an early end the loop compiles to vector code.
    (1..=249).contains(&name.len())
        && name.iter().fold(true, |all, byte| all & legal(byte))
        && !matches!(name, b"." | b"..")
}

/// Digits and nothing else: no sign, no space, no more than fits.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// As much of a message as may travel.
fn clipped(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_LIMIT)]
}

#[cfg(test)]
mod tests;
