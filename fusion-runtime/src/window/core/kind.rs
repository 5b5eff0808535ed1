//! Which windows a moment belongs to, and when they close.

/// The kind of the windows, in milliseconds of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[s, e)`, one after the other.
    Tumbling {
        /// From start to end.
        size: i64,
    },
    /// `[s, e)` that overlap.
    Hopping {
        /// From start to end.
        size: i64,
        /// From one start to the next, at most the size.
        advance: i64,
    },
    /// `[s, e]`, one that ends at each record and one that begins behind it.
    Sliding {
        /// From start to end.
        size: i64,
    },
    /// `[first, last]`, a run of records without a larger gap.
    Session {
        /// The largest distance of neighbours.
        gap: i64,
        /// The largest distance of the first and the last.
        longest: i64,
    },
}

impl Kind {
    /// From a window's start to its end; of sessions, the longest that there is.
    pub fn size(&self) -> i64 {
        match *self {
            Kind::Tumbling { size } | Kind::Hopping { size, .. } | Kind::Sliding { size } => size,
            Kind::Session { longest, .. } => longest,
        }
    }

    /// The lowest time at which a window with this end (of a session, its last record) has closed.
    pub fn closes_at(&self, end: i64, grace: i64) -> i64 {
        let end = end.saturating_add(grace);
        match *self {
            Kind::Tumbling { .. } | Kind::Hopping { .. } => end,
            // The end belongs to them.
            Kind::Sliding { .. } => end.saturating_add(1),
            Kind::Session { gap, .. } => end.saturating_add(gap).saturating_add(1),
        }
    }

    /// The timestamp of a window's result: the last moment that belongs to the window.
    pub fn timestamp(&self, end: i64) -> i64 {
        match self {
            Kind::Tumbling { .. } | Kind::Hopping { .. } => end.saturating_sub(1),
            Kind::Sliding { .. } | Kind::Session { .. } => end,
        }
    }

    /// The starts of the tumbling or hopping windows that hold this moment, in order. Without negative starts, only those
    /// at 0 or later.
    pub(super) fn starts(&self, moment: i64, negative_starts: bool) -> Starts {
        let (size, advance) = match *self {
            Kind::Hopping { size, advance } => (size, advance),
            _ => (self.size(), self.size()),
        };
        let within = moment.rem_euclid(advance);
        let last = moment.saturating_sub(within);
        // How often one can step back and still hold the moment. Divisions are what this costs.
        let steps = if advance == size { 0 } else { (size - 1 - within).max(0) / advance };
        let mut first = last.saturating_sub(steps.saturating_mul(advance));
        if !negative_starts {
            first = first.max(0);
        }
        Starts { next: first, last, advance }
    }

    /// The sliding window that ends at this moment. Where it would begin below 0 it is `[0, size]`, unless negative starts
    /// are allowed.
    pub(super) fn own(&self, moment: i64, negative_starts: bool) -> i64 {
        let start = moment.saturating_sub(self.size());
        if negative_starts { start } else { start.max(0) }
    }
}

/// The starts of windows, in order.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    next: i64,
    last: i64,
    advance: i64,
}

impl Starts {
    pub(super) fn is_last(&self, start: i64) -> bool {
        start == self.last
    }
}

impl Iterator for Starts {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        (self.next <= self.last).then(|| {
            let start = self.next;
            self.next = self.next.saturating_add(self.advance);
            start
        })
    }
}
