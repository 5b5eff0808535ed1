//! When a worker cuts.

use std::time::Duration;

use super::typed::millis;

/// How often an offset is committed that has only moved, in milliseconds.
const QUIET: i64 = 1_000;

/// When the next cut is made, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// For results, which cannot wait for longer than a commit interval.
    results: Option<i64>,
}

impl Due {
    /// The next one is made as soon as it can be.
    pub(super) fn hurry(&mut self) {
        self.results = None;
    }

    /// One was made.
    pub(super) fn made(&mut self, now: i64, interval: Duration) {
        self.results = Some(now.saturating_add(millis(interval)));
    }

    /// Whether it is time, for results or for what has only moved.
    pub(super) fn is_now(&self, has_results: bool, now: i64) -> bool {
        self.at(has_results).is_none_or(|at| at <= now)
    }

    /// When to wake for it. Not while it `is_possible` only later: whatever makes it possible wakes the worker, too.
    pub(super) fn wake(&self, has_results: bool, is_possible: bool, now: i64) -> Option<i64> {
        is_possible.then(|| self.at(has_results).unwrap_or(now).max(now + 1))
    }

    fn at(&self, has_results: bool) -> Option<i64> {
        let quiet = if has_results { 0 } else { QUIET };
        self.results.map(|at| at.saturating_add(quiet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_wait_for_an_interval_and_offsets_for_longer() {
        let mut due = Due::default();
        assert!(due.is_now(true, 0) && due.is_now(false, 0), "the first one");
        due.made(5_000, Duration::from_millis(100));
        assert!(!due.is_now(true, 5_099) && due.is_now(true, 5_100));
        assert!(!due.is_now(false, 6_099) && due.is_now(false, 6_100));
        assert_eq!((due.wake(true, true, 5_000), due.wake(false, true, 5_000)), (Some(5_100), Some(6_100)));
        assert_eq!(due.wake(true, true, 9_000), Some(9_001), "it may have become possible just now");
        due.hurry();
        assert!(due.is_now(false, 5_000));
    }

    #[test]
    fn nobody_wakes_for_a_cut_that_is_not_possible() {
        let mut due = Due::default();
        assert_eq!(due.wake(true, false, 9_000), None);
        due.made(5_000, Duration::from_millis(100));
        assert_eq!((due.wake(true, false, 9_000), due.wake(false, false, 9_000)), (None, None));
    }
}
