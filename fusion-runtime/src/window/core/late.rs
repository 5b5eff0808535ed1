//! What came too late.

use super::{Place, Span};

/// Why a window refused a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LateReason {
    /// Time had passed its end and its grace.
    Closed,
    /// It had fired before its close: it was complete, or a session that had become too long.
    AlreadyFired,
}

impl LateReason {
    /// All of them.
    pub const ALL: [LateReason; 2] = [LateReason::Closed, LateReason::AlreadyFired];

    /// The word for it in the header `fusion-late-reason` and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            LateReason::Closed => "closed",
            LateReason::AlreadyFired => "already_fired",
        }
    }
}

/// A record that a window refused. There is one for each record and window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The record.
    pub at: Place,
    /// The window: of a session, what had fired, or the record alone. Of sliding windows the one that ends at the record;
    /// if even those that begin at it have closed, that one.
    pub span: Span,
    /// Why.
    pub reason: LateReason,
    /// How far the record was behind time, in milliseconds; 0 for one that was not.
    pub lateness: i64,
}

impl Late {
    pub(super) fn new(at: Place, span: Span, reason: LateReason, time: Option<i64>) -> Self {
        let lateness = time.map_or(0, |time| time.saturating_sub(at.time)).max(0);
        Late { at, span, reason, lateness }
    }
}
