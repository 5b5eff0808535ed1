use super::super::RecordRef;
use super::{HeaderBuf, clipped, name};

/// The topic that takes what could not be handled.
///
/// ```
/// assert_eq!(fusion_runtime::record::wire::dead_letter_topic("orders"), "orders.dlq");
/// ```
pub fn dead_letter_topic(topic: &str) -> String {
    format!("{topic}.dlq")
}

/// Why a record becomes a dead letter.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The record. Its key, value and timestamp go along as they are.
    pub record: RecordRef<'a>,
    /// The consumer group that could not handle it.
    pub group: &'a str,
    /// What kind of failure it was: see [`crate::failure::Code`].
    pub code: &'a str,
    /// What happened, for people. What is longer than [`super::MESSAGE_LIMIT`] is cut.
    pub message: &'a str,
}

impl HeaderBuf {
    /// Adds the headers of a dead letter: those of the record as they came, then Spring's, so that its tools read
    /// them. A letter that dies again gets them again, and the last ones count, as they do for Spring.
    ///
    /// A record without a timestamp gets neither of the two headers about it.
    pub fn dead_letter(&mut self, letter: &DeadLetter<'_>) {
        let record = &letter.record;
        self.copy(record.headers);
        self.push(name::DLT_TOPIC, record.topic.as_bytes());
        self.push(name::DLT_PARTITION, &record.partition.to_be_bytes());
        self.push(name::DLT_OFFSET, &record.offset.to_be_bytes());
        if let Some(timestamp) = record.timestamp {
            self.push(name::DLT_TIMESTAMP, &timestamp.to_be_bytes());
            self.push(name::DLT_TIMESTAMP_TYPE, b"CreateTime");
        }
        self.push(name::DLT_GROUP, letter.group.as_bytes());
        self.push(name::DLT_ERROR, letter.code.as_bytes());
        self.push(name::DLT_MESSAGE, clipped(letter.message).as_bytes());
    }
}
