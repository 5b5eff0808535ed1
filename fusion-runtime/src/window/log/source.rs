//! Where a re-keyed record came from.

use crate::record::HeadersRef;

/// The header of a re-keyed record that says where it came from: partition (4 bytes), offset (8 bytes) and timestamp (8
/// bytes, the smallest number for none), event time (8 bytes), all big-endian, then the topic's name; and if the record's key was not the
/// window's, a zero byte and nothing for none, or `k` and the key. The record's other headers follow as they came.
pub(crate) const SOURCE: &str = "fusion-source";

/// Where a re-keyed record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// The record's own, which need not be its event time.
    pub(crate) timestamp: Option<i64>,
    /// The event time. It is not the timestamp of the log's record: brokers refuse those that are an hour ahead.
    pub(crate) time: i64,
    pub(crate) key: SourceKey<'a>,
}

/// The key that a record had in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKey<'a> {
    /// The window's, which the log's record has.
    Same,
    None,
    Other(&'a [u8]),
}

impl<'a> SourceKey<'a> {
    /// That of a record with this key, where the window's key is `window`.
    pub(crate) fn new(own: Option<&'a [u8]>, window: &[u8]) -> Self {
        match own {
            Some(own) if own == window => SourceKey::Same,
            Some(own) => SourceKey::Other(own),
            None => SourceKey::None,
        }
    }
}

impl<'a> Source<'a> {
    /// The header's value, behind whatever is in `bytes`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.partition.to_be_bytes());
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.unwrap_or(i64::MIN).to_be_bytes());
        bytes.extend_from_slice(&self.time.to_be_bytes());
        bytes.extend_from_slice(self.topic.as_bytes());
        match self.key {
            SourceKey::Same => {}
            SourceKey::None => bytes.push(0),
            SourceKey::Other(key) => {
                bytes.extend_from_slice(&[0, b'k']);
                bytes.extend_from_slice(key);
            }
        }
    }

    /// Reads the header's value; `None` if it is not one of ours.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (partition, rest) = bytes.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (timestamp, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        // No topic has a zero byte in its name.
        let (topic, key) = match rest.iter().position(|byte| *byte == 0) {
            None => (rest, SourceKey::Same),
            Some(end) => match &rest[end + 1..] {
                [] => (&rest[..end], SourceKey::None),
                [b'k', key @ ..] => (&rest[..end], SourceKey::Other(key)),
                _ => return None,
            },
        };
        let timestamp = i64::from_be_bytes(*timestamp);
        Some(Source {
            topic: std::str::from_utf8(topic).ok()?,
            partition: i32::from_be_bytes(*partition),
            offset: i64::from_be_bytes(*offset),
            timestamp: (timestamp != i64::MIN).then_some(timestamp),
            time: i64::from_be_bytes(*time),
            key,
        })
    }

    /// That of a record, which ours is the first header of.
    pub(crate) fn of(headers: HeadersRef<'a>) -> Option<Self> {
        let (name, value) = headers.iter().next()?;
        if name != SOURCE.as_bytes() {
            return None;
        }
        Source::read(value?)
    }
}
