//! The text beside a committed offset: what the next owner of a partition needs and the log does not say.
//!
//! It is one line of ASCII, because brokers keep a string and limit its length:
//!
//! ```text
//! fusion1 8f3a01c2 1500 h=@1620 n=@1511 nonce='7b9c t=#1760000000000
//! ```
//!
//! a tag with the version, a CRC-32 of what follows it, the offset it was committed with, then fields in the order of
//! their names. The sign before a value says what it is, so that a reader which does not know a field can still check
//! that no offset in it lies beyond the log's end.
//!
//! Anybody may commit for a group: a tool that resets offsets, a mirror that translates them, another library. So the
//! text counts only if all of it is as we wrote it and its offset is the committed one ([`CommitMetadata::accept`]).

mod answer;
mod bytes;
mod finished;
#[cfg(test)]
mod tests;

pub(crate) use answer::Answer;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::broker::ffi::Committed;
use crate::observe::{Count, Counters};

/// What stands in front of our texts; the digit is the version.
const TAG: &str = "fusion1";
/// The tag without its version.
const FAMILY: &str = "fusion";

/// The most bytes that the text has. Brokers take 4,096 by default (`offset.metadata.max.bytes`), counted by some as
/// characters and by others as bytes with what stands around them; the rest is room for that.
pub const MOST_BYTES: usize = 3050;

/// The longest name of a field, in bytes.
const LONGEST_NAME: usize = 16;

/// The text beside a committed offset, as fields.
///
/// ```
/// use fusion_runtime::produce::transactions::CommitMetadata;
///
/// let mut metadata = CommitMetadata::new(1500);
/// metadata.set_offset("h", 1620);
/// metadata.set_number("t", 1_760_000_000_000);
/// metadata.set_text("nonce", "7b9c");
///
/// let text = metadata.encode();
/// let read = CommitMetadata::accept(text.as_bytes(), 1500, 1620).unwrap();
/// assert_eq!(read.offset_of("h"), Some(1620));
/// // Somebody else has moved the offset since.
/// assert!(CommitMetadata::accept(text.as_bytes(), 1400, 1620).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMetadata {
    offset: i64,
    fields: BTreeMap<String, Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    /// An offset of the same partition, which the log's end bounds.
    Offset(i64),
    /// Any other number: a time, an offset of another topic.
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// Offsets from the committed one on, as ascending, disjoint runs; the end bounds them too.
    Finished(Vec<Range<i64>>),
}

/// Why the bytes beside a committed offset do not count. What they would have said starts empty then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataFault {
    /// There are none: committed by a tool, or by a program that writes none.
    #[error("there is none")]
    Missing,
    /// Another program's.
    #[error("another program wrote it")]
    Foreign,
    /// Written by a version of fusion that this one cannot read.
    #[error("another version of fusion wrote it")]
    Version,
    /// Cut off or changed on the way.
    #[error("it is damaged")]
    Damaged,
    /// It belongs to another offset: the committed one was moved without it.
    #[error("it belongs to offset {of}, and {committed} is committed")]
    Moved {
        /// The offset it was written with.
        of: i64,
        /// The committed offset.
        committed: i64,
    },
    /// It speaks of records that the log does not have: the topic was created anew, or records were lost.
    #[error("it speaks of offset {offset}, and the log ends at {end}")]
    BeyondEnd {
        /// The offset in question.
        offset: i64,
        /// The offset behind the log's last record.
        end: i64,
    },
}

impl CommitMetadata {
    /// Without fields, to be committed with this offset.
    pub fn new(offset: i64) -> CommitMetadata {
        CommitMetadata { offset, fields: BTreeMap::new() }
    }

    /// The offset it belongs to.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Sets an offset of the same partition: read again, it must not lie beyond the log's end. Names of fields are 1 to
    /// 16 lower-case letters, digits and underscores, and begin with a letter; any other field is left out of the text.
    pub fn set_offset(&mut self, name: &str, offset: i64) {
        self.set(name, Field::Offset(offset));
    }

    /// Sets a number that is no offset of this partition.
    pub fn set_number(&mut self, name: &str, number: i64) {
        self.set(name, Field::Number(number));
    }

    /// Sets a short text. What is not visible ASCII costs three bytes a byte.
    pub fn set_text(&mut self, name: &str, text: impl Into<String>) {
        self.set(name, Field::Text(text.into()));
    }

    /// Sets bytes, which cost four for three.
    pub fn set_bytes(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.set(name, Field::Bytes(bytes.into()));
    }

    /// Sets the offsets that are finished at and beyond the committed one, as ascending, disjoint runs. They are written
    /// as runs or as a bitmap, whichever is shorter. Runs that begin below the committed offset are left out.
    pub fn set_finished(&mut self, name: &str, runs: &[Range<i64>]) {
        let runs = finished::tidy(self.offset, runs);
        self.set(name, Field::Finished(runs));
    }

    fn set(&mut self, name: &str, field: Field) {
        debug_assert!(is_name(name), "`{name}` cannot name a field");
        if is_name(name) {
            self.fields.insert(name.to_owned(), field);
        }
    }

    /// The offset of this name.
    pub fn offset_of(&self, name: &str) -> Option<i64> {
        match self.fields.get(name)? {
            Field::Offset(offset) => Some(*offset),
            _ => None,
        }
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.fields.get(name)? {
            Field::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name)? {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of this name.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.fields.get(name)? {
            Field::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The finished offsets of this name, as ascending, disjoint runs.
    pub fn finished(&self, name: &str) -> Option<&[Range<i64>]> {
        match self.fields.get(name)? {
            Field::Finished(runs) => Some(runs),
            _ => None,
        }
    }

    /// The text to commit. It may be longer than brokers take: see [`MOST_BYTES`].
    pub fn encode(&self) -> String {
        let body = Body(self).to_string();
        format!("{TAG} {:08x} {body}", bytes::crc32(body.as_bytes()))
    }

    /// Reads what stands beside a committed offset, of a log that ends at `end` (the offset behind its last record).
    ///
    /// # Errors
    /// Why it does not count.
    pub fn accept(metadata: &[u8], committed: i64, end: i64) -> Result<CommitMetadata, MetadataFault> {
        let read = CommitMetadata::decode(metadata)?;
        if read.offset != committed {
            return Err(MetadataFault::Moved { of: read.offset, committed });
        }
        let highest = read.fields.values().filter_map(|field| match field {
            Field::Offset(offset) => Some(*offset),
            Field::Finished(runs) => runs.last().map(|run| run.end),
            Field::Number(_) | Field::Text(_) | Field::Bytes(_) => None,
        });
        match highest.chain([read.offset]).max() {
            Some(offset) if offset > end => Err(MetadataFault::BeyondEnd { offset, end }),
            _ => Ok(read),
        }
    }

    /// Reads a text without asking whether it counts.
    fn decode(metadata: &[u8]) -> Result<CommitMetadata, MetadataFault> {
        if metadata.is_empty() {
            return Err(MetadataFault::Missing);
        }
        if !metadata.starts_with(FAMILY.as_bytes()) {
            return Err(MetadataFault::Foreign);
        }
        let text = std::str::from_utf8(metadata).map_err(|_| MetadataFault::Damaged)?;
        let (tag, rest) = text.split_once(' ').ok_or(MetadataFault::Damaged)?;
        if tag != TAG {
            return Err(MetadataFault::Version);
        }
        let read = Self::decode_body(rest).ok_or(MetadataFault::Damaged)?;
        // There is one way to write it. Any other is not ours, whatever it would mean.
        if read.encode() == text { Ok(read) } else { Err(MetadataFault::Damaged) }
    }

    fn decode_body(text: &str) -> Option<CommitMetadata> {
        let (sum, body) = text.split_once(' ')?;
        if u32::from_str_radix(sum, 16).ok()? != bytes::crc32(body.as_bytes()) {
            return None;
        }
        let mut parts = body.split(' ');
        let mut read = CommitMetadata::new(parts.next()?.parse().ok()?);
        for part in parts {
            let (name, value) = part.split_once('=')?;
            if !is_name(name) {
                return None;
            }
            let (kind, value) = (value.get(..1)?, value.get(1..)?);
            let field = match kind {
                "@" => Field::Offset(value.parse().ok()?),
                "#" => Field::Number(value.parse().ok()?),
                "'" => Field::Text(bytes::unescape(value)?),
                "%" => Field::Bytes(bytes::from_base64(value)?),
                "*" => Field::Finished(finished::decode(read.offset, &bytes::from_base64(value)?)?),
                _ => return None,
            };
            read.fields.insert(name.to_owned(), field);
        }
        Some(read)
    }
}

/// What the checksum is of.
struct Body<'a>(&'a CommitMetadata);

impl fmt::Display for Body<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.0.offset;
        write!(out, "{offset}")?;
        for (name, field) in &self.0.fields {
            match field {
                Field::Offset(offset) => write!(out, " {name}=@{offset}")?,
                Field::Number(number) => write!(out, " {name}=#{number}")?,
                Field::Text(text) => write!(out, " {name}='{}", bytes::escape(text))?,
                Field::Bytes(raw) => write!(out, " {name}=%{}", bytes::to_base64(raw))?,
                Field::Finished(runs) => {
                    write!(out, " {name}=*{}", bytes::to_base64(&finished::encode(offset, runs)))?;
                }
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What the partition's last owner left, if it counts. If not although something is committed, one warning and one
/// counter say so, and the partition's state starts empty. `end` is the offset behind the log's last record.
pub(crate) fn left_behind(committed: &Committed, end: i64, counters: &Counters) -> Option<CommitMetadata> {
    let offset = committed.offset?;
    match CommitMetadata::accept(&committed.metadata, offset, end) {
        Ok(metadata) => Some(metadata),
        Err(fault) => {
            counters.one(Count::MetadataRefused);
            tracing::warn!(
                %fault,
                topic = committed.topic,
                partition = committed.partition,
                offset,
                "what stands beside the committed offset does not count: its state starts empty"
            );
            None
        }
    }
}
