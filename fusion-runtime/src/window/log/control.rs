//! What the writers of a re-keyed log know of time.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::window::core;

/// The header that marks a control record. Its value is the version of the form.
pub(crate) const CONTROL: &str = "fusion-control";

/// A control record: claims of source partitions, or a tick of the log's own owner. JSON, so that a person who looks into
/// the log can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control<'a> {
    /// The writer's clock, in milliseconds since 1970.
    pub(crate) stamp: i64,
    /// How long its claims hold, in milliseconds. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<i64>,
    /// How many partitions the log has. It must never change: keys would move.
    pub(crate) partitions: i32,
    /// How many partitions each source topic has, in the writer's order. Time is unknown until all have been claimed.
    #[serde(borrow)]
    pub(crate) sources: Cow<'a, [Topic<'a>]>,
    /// One for each source partition that the writer speaks for; none in a tick.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<Claim<'a>>,
    /// Whether everything that is open is to fire now, as `drain` asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) drain: bool,
}

/// A source topic, and how many partitions it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Topic<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>, pub(crate) i32);

/// What is known of one source partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim<'a> {
    #[serde(borrow)]
    pub(crate) topic: Cow<'a, str>,
    pub(crate) partition: i32,
    /// The newest event time, and when it arrived by the writer's clock; `None` until one was seen.
    pub(crate) newest: Option<(i64, i64)>,
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

/// A control record that cannot be meant for this window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log has a control record about the topic `{topic}`, which the window does not gather any more")]
pub(crate) struct UnknownTopic {
    pub(crate) topic: String,
}

impl Control<'_> {
    /// In the numbers of a declaration that gathers these topics.
    ///
    /// # Errors
    /// When it speaks of another topic: the declaration has changed.
    pub(crate) fn numbered(&self, topics: &[&str]) -> Result<core::Control, UnknownTopic> {
        let place = |name: &str| {
            let place = topics.iter().position(|topic| *topic == name);
            place.ok_or_else(|| UnknownTopic { topic: name.to_owned() })
        };
        let mut counts = vec![0; topics.len()];
        for Topic(name, partitions) in self.sources.iter() {
            counts[place(name)?] = *partitions;
        }
        let claims = self.claims.iter().map(|claim| {
            Ok(core::Claim {
                topic: u16::try_from(place(&claim.topic)?).unwrap_or(u16::MAX),
                partition: claim.partition,
                newest: claim.newest.map(|(time, arrived)| core::Newest { time, arrived }),
                idle: claim.idle,
            })
        });
        let claims = claims.collect::<Result<_, _>>()?;
        Ok(core::Control { stamp: self.stamp, lease: self.lease, counts, claims })
    }
}
