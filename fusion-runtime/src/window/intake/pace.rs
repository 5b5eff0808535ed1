//! How far the partitions that this instance reads for one window have come, so that none runs far ahead of the slowest:
//! what it reads would only wait in open windows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::{consume::Assignment, produce::transactions::Epoch};

/// A source partition: its topic's place in the declaration, and its number.
type Source = (usize, i32);

/// Of one window. It is told of batches, not of records.
#[derive(Debug)]
pub(crate) struct Pace {
    sources: Mutex<BTreeMap<Source, Reached>>,
    /// Changes whenever one that waits may go on.
    changed: watch::Sender<()>,
}

/// How far one has come, under the assignment with this epoch.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) epoch: Epoch,
    /// The newest event time.
    pub(super) newest: Option<i64>,
    pub(super) idle: bool,
    /// The offset up to which its records are in the window's log, and that of the record that comes next.
    pub(super) committed: i64,
    pub(super) next: i64,
    /// Knows how far it reaches, also while nothing is read.
    pub(super) assignment: Arc<Assignment>,
}

impl Reached {
    /// How many of its offsets are not in the window's log yet.
    fn lag(&self) -> i64 {
        (self.assignment.known_end().max(self.next) - self.committed).max(0)
    }
}

impl Pace {
    pub(crate) fn new() -> Self {
        Pace { sources: Mutex::default(), changed: watch::channel(()).0 }
    }

    /// A partition that is read has come so far.
    pub(super) fn reached(&self, source: Source, now: Reached) {
        let place = (now.newest, now.idle);
        let before = self.sources().insert(source, now);
        if before.is_none_or(|before| (before.newest, before.idle) != place) {
            self.changed.send_replace(());
        }
    }

    /// Nobody reads the partition under this assignment any more.
    pub(super) fn left(&self, source: Source, epoch: Epoch) {
        let mut sources = self.sources();
        if sources.get(&source).is_some_and(|reached| reached.epoch == epoch) {
            sources.remove(&source);
            drop(sources);
            self.changed.send_replace(());
        }
    }

    /// Whether a partition is more than `distance` ahead of the slowest that is not idle, of those that have spoken. The
    /// slowest itself never is, so one can always go on.
    pub(super) fn is_ahead(&self, source: Source, distance: i64) -> bool {
        let sources = self.sources();
        let awake = sources.values().filter(|reached| !reached.idle);
        let slowest = awake.filter_map(|reached| reached.newest).min();
        let own = sources.get(&source).and_then(|reached| reached.newest);
        own.zip(slowest).is_some_and(|(own, slowest)| own.saturating_sub(slowest) > distance)
    }

    /// The lag of all partitions of the topic at this place.
    pub(crate) fn lag(&self, topic: usize) -> i64 {
        self.sources()
            .iter()
            .filter(|((place, _), _)| *place == topic)
            .map(|(_, reached)| reached.lag())
            .sum()
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, BTreeMap<Source, Reached>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(epoch: Epoch, newest: Option<i64>, idle: bool) -> Reached {
        let assignment = Arc::new(Assignment::new(8, std::thread::current()));
        Reached { epoch, newest, idle, committed: 5, next: 6, assignment }
    }

    #[test]
    fn one_that_is_ahead_waits_for_the_slowest_and_never_the_slowest_itself() {
        let pace = Pace::new();
        pace.reached((0, 0), reached(1, Some(100), false));
        assert!(!pace.is_ahead((0, 0), 10), "alone");
        pace.reached((1, 0), reached(2, None, false));
        assert!(!pace.is_ahead((0, 0), 10), "nothing is known of the other");
        assert_eq!((pace.lag(0), pace.lag(2)), (3, 0));
        pace.reached((1, 0), reached(2, Some(90), false));
        assert!(!pace.is_ahead((0, 0), 10));
        let mut changes = pace.changes();
        pace.reached((1, 0), reached(2, Some(89), false));
        assert!(changes.has_changed().unwrap() && pace.is_ahead((0, 0), 10) && !pace.is_ahead((1, 0), 10));
        changes.mark_unchanged();
        pace.reached((1, 0), reached(2, Some(89), true));
        assert!(changes.has_changed().unwrap() && !pace.is_ahead((0, 0), 10), "it is idle");
    }

    #[test]
    fn one_that_is_gone_holds_nobody_up() {
        let pace = Pace::new();
        pace.reached((0, 0), reached(1, Some(100), false));
        pace.reached((1, 0), reached(2, Some(0), false));
        pace.left((1, 0), 1);
        assert!(pace.is_ahead((0, 0), 10), "that was an earlier assignment");
        pace.left((1, 0), 2);
        assert!(!pace.is_ahead((0, 0), 10));
    }
}
