//! The window that a run is for.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    failure::{Code, Failure},
    reactor::{HandIn, Run},
};

/// The window that a handler is called for, handed in to handlers with `window!`.
///
/// ```
/// use fusion::{Reason, Window};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// // In a test of a handler:
/// let window = Window::new(60_000, 90_000, Reason::Closed, 3);
/// assert_eq!(window.start(), UNIX_EPOCH + Duration::from_secs(60));
/// assert_eq!((window.start_millis(), window.end_millis(), window.count()), (60_000, 90_000, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    start: i64,
    end: i64,
    reason: Reason,
    count: u64,
}

/// Why a window fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Event time passed its end and its grace.
    Closed,
    /// Every topic had spoken for its key, `complete = all`.
    Complete,
    /// All partitions were silent, and the clock passed its end and its grace.
    Idle,
    /// A session would have become longer than `longest`.
    Longest,
    /// A record was gathered, `emit = updates`.
    Update,
    /// The app was told to drain.
    Drained,
}

impl Reason {
    /// The word for it in the header `fusion-window-reason` and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Closed => "closed",
            Reason::Complete => "complete",
            Reason::Idle => "idle",
            Reason::Longest => "longest",
            Reason::Update => "update",
            Reason::Drained => "drained",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Window {
    /// A window from `start` to `end`, in milliseconds since 1970, with so many records. Handlers are given theirs; this
    /// is for their tests.
    pub const fn new(start: i64, end: i64, reason: Reason, count: u64) -> Self {
        Window { start, end, reason, count }
    }

    /// Where it begins: the first moment that belongs to it; of a session, the time of its first record.
    pub fn start(&self) -> SystemTime {
        at(self.start)
    }

    /// Where it ends: of a tumbling or hopping window the first moment that no longer belongs to it, of a sliding one
    /// the last that does, of a session the time of its last record.
    pub fn end(&self) -> SystemTime {
        at(self.end)
    }

    /// [`start`](Self::start) in milliseconds since 1970.
    pub const fn start_millis(&self) -> i64 {
        self.start
    }

    /// [`end`](Self::end) in milliseconds since 1970.
    pub const fn end_millis(&self) -> i64 {
        self.end
    }

    /// Why it fired.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// How many records were gathered, of all sources.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

fn at(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let moment = if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moment.unwrap_or(UNIX_EPOCH)
}

impl HandIn for Window {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        // The macro hands it in to handlers with `window!` only.
        run.window.ok_or_else(|| Failure::new(Code::Handler, "this run is for no window").not_retryable())
    }
}
