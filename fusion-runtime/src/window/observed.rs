//! What is counted of a window.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::broker::Settings;

use super::core::LateReason;

/// Why a record of a source was skipped, or not let move time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// Its bytes could not be read.
    Undecodable,
    /// It has no key.
    NoKey,
    /// It has no time, or one before 1970.
    NoTime,
    /// It is more than `max_future` and a day ahead of the clock.
    TooFar,
    /// It is more than `max_future` ahead of the clock: it was gathered, and did not move time.
    Ahead,
}

impl Skipped {
    /// All of them.
    pub const ALL: [Skipped; 5] =
        [Skipped::Undecodable, Skipped::NoKey, Skipped::NoTime, Skipped::TooFar, Skipped::Ahead];

    /// Whether such a record becomes a dead letter.
    pub(crate) fn is_kept(self, settings: &Settings) -> bool {
        self == Skipped::TooFar || settings.keep_skipped
    }

    /// The word for it in metrics and dead letters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Skipped::Undecodable => "undecodable",
            Skipped::NoKey => "no_key",
            Skipped::NoTime => "no_time",
            Skipped::TooFar => "too_far",
            Skipped::Ahead => "ahead",
        }
    }
}

/// The counters of one window, by topic and reason.
#[derive(Debug)]
pub(crate) struct Observed {
    skipped: Box<[[AtomicU64; Skipped::ALL.len()]]>,
    late: Box<[[AtomicU64; 2]]>,
}

impl Observed {
    pub(crate) fn new(topics: usize) -> Self {
        Observed {
            skipped: (0..topics).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect(),
            late: (0..topics).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect(),
        }
    }

    /// A window refused a record.
    pub(crate) fn late(&self, topic: usize, reason: LateReason, lateness: i64) {
        let _ = lateness;
        let reason = match reason {
            LateReason::Closed => 0,
            LateReason::AlreadyFired => 1,
        };
        self.late[topic][reason].fetch_add(1, Relaxed);
    }

    pub(crate) fn skip(&self, topic: usize, reason: Skipped) {
        self.skipped[topic][reason as usize].fetch_add(1, Relaxed);
    }
}
