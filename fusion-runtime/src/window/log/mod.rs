//! The re-keyed log of a window: the topic in which the records of one key meet, and what is written into it.
//!
//! It has two kinds of records. A [`Source`] in a header marks one that was gathered, with its value and headers as they
//! came; its key is the window's key. A [`Control`] is what its writers know of time.

mod control;
mod source;
#[cfg(test)]
mod tests;
mod topic;

pub(crate) use control::{CONTROL, Claim, Control, Topic};
pub(crate) use source::{SOURCE, Source, SourceKey};
pub(crate) use topic::{check_log, log_config};

/// The re-keyed log of the window `name` in the app `group`.
pub(crate) fn log_topic(group: &str, name: &str) -> String {
    format!("{group}.{name}.repartition")
}

/// Where the failures of that window go.
pub(crate) fn failures_topic(group: &str, name: &str) -> String {
    format!("{group}.{name}.dlq")
}
