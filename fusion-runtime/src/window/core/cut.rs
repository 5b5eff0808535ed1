//! What a commit must remember.

use super::Needed;

/// A session that fired because it would have become longer than `longest`, and that an open one depends on. A replay can
/// begin in the middle of it, where it would look shorter and not fire: so it is remembered by where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split {
    /// The record before which it had fired.
    pub offset: i64,
    /// The time of its first record.
    pub first: i64,
    /// The time of its last record.
    pub last: i64,
}

/// What a commit of a re-keyed log remembers: the state of its windows once everything below `high` is processed and
/// nothing else.
///
/// A replay reads from `needed.begin`. Up to `needed.offset` it only restores the [`Claims`](super::Claims); from there it
/// decides everything again with the time as it was there, not as it is at `high`: sessions and sliding windows of a key
/// that were closed in between would otherwise look different. Below `high` it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the replay begins; at `high` if nothing is open.
    pub needed: Needed,
    /// The lowest offset that was not processed.
    pub high: i64,
    /// In the order of offsets; empty except for sessions that outgrew `longest`.
    pub splits: Vec<Split>,
}

/// How much a [`Cut`] may remember besides offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutLimit {
    /// About how many [`Split`]s: with more, the cut needs the log from farther back, where that is possible.
    pub splits: usize,
    /// The offset that the last cut needed. What is below it may not be there any more.
    pub from: i64,
}

impl CutLimit {
    /// As many as there are.
    pub const NONE: CutLimit = CutLimit { splits: usize::MAX, from: 0 };
}

/// What a commit of copartitioned sources remembers of one log, beside the time at the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The lowest offset that open windows need; `high` if there is none.
    pub needed: i64,
    /// The lowest offset that was not processed.
    pub high: i64,
}

/// What is decided again, and says nothing.
#[derive(Debug)]
pub(super) struct Replay {
    /// For each log, the lowest offset that is new.
    highs: Vec<i64>,
    /// The logs that have not been read up to there.
    behind: Vec<bool>,
    /// Time is that of the cut until all have been read up to there.
    stands: bool,
}

impl Replay {
    pub(super) fn none(logs: usize) -> Self {
        Replay { highs: vec![i64::MIN; logs], behind: vec![false; logs], stands: false }
    }

    /// A re-keyed log says again how time moved.
    pub(super) fn of_log(needed: i64, high: i64) -> Self {
        Replay { highs: vec![high], behind: vec![needed < high], stands: false }
    }

    /// Copartitioned logs, be it a single one, do not: time depended on the clock, and on how they interleaved.
    pub(super) fn of_parts(parts: &[Part]) -> Self {
        let (highs, behind) = parts.iter().map(|part| (part.high, part.needed < part.high)).unzip();
        Replay { highs, behind, stands: true }
    }

    /// Whether time must not move now.
    pub(super) fn stands(&self) -> bool {
        self.stands && !self.is_over()
    }

    /// Everything below `position` was read.
    pub(super) fn reached(&mut self, log: usize, position: i64) {
        if position >= self.highs[log] {
            self.behind[log] = false;
        }
    }

    pub(super) fn is_replay(&self, log: usize, offset: i64) -> bool {
        offset < self.highs[log]
    }

    pub(super) fn is_over(&self) -> bool {
        !self.behind.contains(&true)
    }

    pub(super) fn high(&self, log: usize) -> i64 {
        self.highs[log]
    }

    pub(super) fn logs(&self) -> usize {
        self.highs.len()
    }
}
