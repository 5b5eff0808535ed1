//! What a window is declared as.

use std::{fmt, sync::Arc};

use super::{Aggregate, Kind};

/// What the kinds can do with what is gathered, each where it needs it. A macro knows which types can, so it is asked by
/// function pointer, and a tumbling window needs no `Clone`.
pub struct Ways<A: Aggregate> {
    /// A second one of an item: for hopping and sliding windows, which overlap.
    pub copy_item: fn(&A::Item) -> Option<A::Item>,
    /// A second one of what was gathered: for updates.
    pub copy: fn(&A) -> Option<A>,
    /// One of two: for sessions. The second one began to gather later.
    pub merge: fn(&mut A, A),
}

impl<A: Aggregate> Clone for Ways<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Aggregate> Copy for Ways<A> {}

impl<A: Aggregate> Default for Ways<A> {
    /// Enough for tumbling windows that fire once.
    fn default() -> Self {
        Ways { copy_item: |_| None, copy: |_| None, merge: |_, _| {} }
    }
}

impl<A: Aggregate> fmt::Debug for Ways<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ways").finish_non_exhaustive()
    }
}

/// When a window fires before it closes.
pub(super) enum Complete<A> {
    Never,
    /// One bit for each topic that must have spoken.
    Topics(u64),
    When(Arc<dyn Fn(&A) -> bool + Send + Sync>),
}

impl<A> Clone for Complete<A> {
    fn clone(&self) -> Self {
        match self {
            Complete::Never => Complete::Never,
            Complete::Topics(all) => Complete::Topics(*all),
            Complete::When(predicate) => Complete::When(Arc::clone(predicate)),
        }
    }
}

/// What a window is declared as. [`Table::new`](super::Table::new) checks it.
pub struct Rules<A: Aggregate> {
    pub(super) kind: Kind,
    pub(super) grace: i64,
    pub(super) ways: Ways<A>,
    pub(super) complete: Complete<A>,
    pub(super) updates: bool,
    pub(super) negative_starts: bool,
    topics: u32,
}

/// Windows cannot be declared like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// A size, an advance, a gap or a `longest` below one millisecond.
    #[error("sizes of windows must be at least one millisecond")]
    NoSize,
    /// Records between two windows would belong to none.
    #[error("`advance` is larger than the size of the window")]
    AdvanceBeyondSize,
    /// Grace below zero.
    #[error("`grace` is negative")]
    NegativeGrace,
    /// Sessions and sliding windows change until they close.
    #[error("`complete` needs tumbling or hopping windows")]
    CompleteNeedsFixedWindows,
    /// A window would give results before and after it is complete.
    #[error("`complete` and `emit = updates` exclude each other")]
    CompleteWithUpdates,
    /// More topics than are kept count of.
    #[error("`complete` over {0} topics, and at least 1 and at most 64 are possible")]
    Topics(u32),
    /// Sessions and sliding windows depend on the order of records, which several logs do not have.
    #[error("several logs need tumbling or hopping windows")]
    SeveralLogsNeedFixedWindows,
}

impl<A: Aggregate> Rules<A> {
    /// Windows that fire when they close, `grace` behind their end.
    pub fn new(kind: Kind, grace: i64, ways: Ways<A>) -> Self {
        Rules {
            kind,
            grace,
            ways,
            complete: Complete::Never,
            updates: false,
            negative_starts: false,
            topics: 1,
        }
    }

    /// A window fires at once when the topics `0..topics` have all spoken for its key.
    #[must_use]
    pub fn complete(mut self, topics: u32) -> Self {
        self.topics = topics;
        self.complete = Complete::Topics(u64::MAX.checked_shr(64_u32.saturating_sub(topics)).unwrap_or(0));
        self
    }

    /// A window fires at once when what it gathered is enough.
    #[must_use]
    pub fn complete_when(mut self, enough: impl Fn(&A) -> bool + Send + Sync + 'static) -> Self {
        self.complete = Complete::When(Arc::new(enough));
        self
    }

    /// A result after each record, and none at the close.
    #[must_use]
    pub fn updates(mut self) -> Self {
        self.updates = true;
        self
    }

    /// Windows may start below 0, as Flink's do.
    #[must_use]
    pub fn negative_starts(mut self) -> Self {
        self.negative_starts = true;
        self
    }

    /// The kind of the windows.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The lowest time at which a window with this end has closed.
    pub fn closes_at(&self, end: i64) -> i64 {
        self.kind.closes_at(end, self.grace)
    }

    pub(super) fn check(&self, logs: usize) -> Result<(), RulesError> {
        let (sizes, fixed) = match self.kind {
            Kind::Tumbling { size } => ([size, size], true),
            Kind::Hopping { size, advance } => ([size, advance], true),
            Kind::Sliding { size } => ([size, size], false),
            Kind::Session { gap, longest } => ([gap, longest], false),
        };
        let completes = !matches!(self.complete, Complete::Never);
        if sizes.iter().any(|size| *size < 1) {
            Err(RulesError::NoSize)
        } else if fixed && sizes[1] > sizes[0] {
            Err(RulesError::AdvanceBeyondSize)
        } else if self.grace < 0 {
            Err(RulesError::NegativeGrace)
        } else if completes && !fixed {
            Err(RulesError::CompleteNeedsFixedWindows)
        } else if completes && self.updates {
            Err(RulesError::CompleteWithUpdates)
        } else if !(1..=64).contains(&self.topics) {
            Err(RulesError::Topics(self.topics))
        } else if logs > 1 && !fixed {
            Err(RulesError::SeveralLogsNeedFixedWindows)
        } else {
            Ok(())
        }
    }
}

impl<A: Aggregate> Clone for Rules<A> {
    fn clone(&self) -> Self {
        Rules { complete: self.complete.clone(), ..*self }
    }
}

impl<A: Aggregate> fmt::Debug for Rules<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("kind", &self.kind).field("grace", &self.grace).finish_non_exhaustive()
    }
}
