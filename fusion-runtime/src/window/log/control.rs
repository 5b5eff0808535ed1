//! What the writers of a re-keyed log know of time.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The header that marks a control record. Its value is the version of the form.
pub(crate) const CONTROL: &str = "fusion-control";

/// A control record: claims of source partitions, or a tick of the log's own owner. JSON, so that a person who looks into
/// the log can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control<'a> {
    /// The writer's clock, in milliseconds since 1970.
    pub(crate) stamp: i64,
    /// How many partitions the log has. It must never change: keys would move.
    pub(crate) partitions: i32,
    /// One for each source partition that the writer speaks for; none in a tick.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<Claim<'a>>,
    /// Whether everything that is open is to fire now, as `drain` asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) drain: bool,
}

/// What is known of one source partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim<'a> {
    #[serde(borrow)]
    pub(crate) topic: Cow<'a, str>,
    pub(crate) partition: i32,
    /// The newest event time; `None` until one was seen.
    pub(crate) newest: Option<i64>,
    /// When that arrived, by the writer's clock.
    pub(crate) arrived: i64,
    /// Whether the partition is silent and caught up, and does not hold time back.
    pub(crate) idle: bool,
}

impl Control<'_> {
    /// The record's value.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Numbers, booleans and texts: there is nothing that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl<'a> Control<'a> {
    /// Reads a record's value.
    ///
    /// # Errors
    /// When it is not the form that this version writes.
    pub(crate) fn read(value: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(value)
    }
}
