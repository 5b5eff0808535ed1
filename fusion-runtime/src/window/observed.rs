//! What is counted of a window.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::{broker::Settings, consume::Assignment, produce::transactions::Epoch};

use super::{
    core::LateReason,
    metrics::{WindowMetrics, WindowPartition, WindowTopic},
};

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

/// What is seen of one window: counters by topic and reason, and where each partition is.
#[derive(Debug)]
pub(crate) struct Observed {
    topics: Box<[Counted]>,
    partitions: Mutex<BTreeMap<i32, At>>,
}

/// Where a partition is.
#[derive(Debug)]
struct At {
    /// Of the assignment that told it.
    epoch: Epoch,
    partition: WindowPartition,
    /// Know how far its logs reach, also while nothing is read.
    ends: Ends,
}

/// The assignment of each log.
pub(crate) type Ends = Arc<[Arc<Assignment>]>;

#[derive(Debug, Default)]
struct Counted {
    skipped: [AtomicU64; Skipped::ALL.len()],
    late: [AtomicU64; LateReason::ALL.len()],
    lateness: [AtomicU64; WindowTopic::LATENESS.len() + 1],
}

impl Observed {
    pub(crate) fn new(topics: usize) -> Self {
        Observed { topics: (0..topics).map(|_| Counted::default()).collect(), partitions: Mutex::default() }
    }

    /// A window refused a record that was so many milliseconds behind time.
    pub(crate) fn late(&self, topic: usize, reason: LateReason, lateness: i64) {
        let counted = &self.topics[topic];
        counted.late[reason as usize].fetch_add(1, Relaxed);
        let within = |bound: &Duration| i128::from(lateness) <= bound.as_millis().cast_signed();
        let bucket = WindowTopic::LATENESS.iter().position(within).unwrap_or(WindowTopic::LATENESS.len());
        counted.lateness[bucket].fetch_add(1, Relaxed);
    }

    pub(crate) fn skip(&self, topic: usize, reason: Skipped) {
        self.topics[topic].skipped[reason as usize].fetch_add(1, Relaxed);
    }

    /// A partition is at this place.
    pub(crate) fn at(&self, epoch: Epoch, partition: WindowPartition, ends: &Ends) {
        let mut partitions = self.partitions();
        if partitions.get(&partition.partition).is_none_or(|before| before.epoch <= epoch) {
            partitions.insert(partition.partition, At { epoch, partition, ends: ends.clone() });
        }
    }

    /// Nobody gathers the partition under this assignment any more.
    pub(crate) fn left(&self, epoch: Epoch, partition: i32) {
        let mut partitions = self.partitions();
        if partitions.get(&partition).is_some_and(|before| before.epoch == epoch) {
            partitions.remove(&partition);
        }
    }

    /// As it is by this clock; `lag` is that of a source.
    pub(crate) fn read(
        &self,
        name: &'static str,
        topics: &[&'static str],
        clock: i64,
        lag: impl Fn(usize) -> i64,
    ) -> WindowMetrics {
        let partitions = self.partitions();
        let all = partitions.values().map(|At { partition, ends, .. }| {
            let mut now = WindowPartition {
                behind: partition.time.map(|time| clock.saturating_sub(time)),
                ..partition.clone()
            };
            for (log, assignment) in now.logs.iter_mut().zip(&**ends) {
                log.end = log.end.max(assignment.known_end());
            }
            now
        });
        let all = all.collect();
        drop(partitions);
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let topics =
            topics.iter().zip(&self.topics).enumerate().map(|(place, (&topic, counted))| WindowTopic {
                topic,
                lag: lag(place),
                skipped: Skipped::ALL.into_iter().zip(counted.skipped.iter().map(count)).collect(),
                late: LateReason::ALL.into_iter().zip(counted.late.iter().map(count)).collect(),
                lateness: std::array::from_fn(|bucket| count(&counted.lateness[bucket])),
            });
        WindowMetrics { name, partitions: all, topics: topics.collect() }
    }

    fn partitions(&self) -> MutexGuard<'_, BTreeMap<i32, At>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::WindowLog;

    fn partition(partition: i32, time: i64) -> WindowPartition {
        WindowPartition {
            partition,
            time: Some(time),
            behind: None,
            held_back_by: None,
            open: 1,
            open_bytes: 2,
            oldest: None,
            logs: vec![WindowLog { topic: "log".to_owned(), committed: 1, next: 3, decided: 1, end: 5 }],
        }
    }

    /// The assignment of a log that reaches so far.
    fn ends(end: i64) -> Ends {
        [Arc::new(Assignment::new(end, std::thread::current()))].into()
    }

    #[test]
    fn late_records_are_counted_by_reason_and_by_how_late_they_are() {
        let observed = Observed::new(2);
        for (reason, lateness) in
            [(LateReason::Closed, 0), (LateReason::Closed, 1_000), (LateReason::AlreadyFired, i64::MAX)]
        {
            observed.late(1, reason, lateness);
        }
        observed.skip(0, Skipped::NoKey);
        let read = observed.read("w", &["brake", "lidar"], 0, |place| place as i64 * 7);
        let [brake, lidar] = &read.topics[..] else { panic!("{read:?}") };
        assert_eq!((brake.skipped[&Skipped::NoKey], brake.skipped[&Skipped::NoTime]), (1, 0));
        assert_eq!((brake.late[&LateReason::Closed], brake.lateness, brake.lag), (0, [0; 9], 0));
        assert_eq!((lidar.late[&LateReason::Closed], lidar.late[&LateReason::AlreadyFired]), (2, 1));
        assert_eq!((lidar.lateness, lidar.lag), ([1, 1, 0, 0, 0, 0, 0, 0, 1], 7));
    }

    #[test]
    fn an_earlier_assignment_says_nothing_of_a_later_one() {
        let observed = Observed::new(1);
        observed.at(5, partition(3, 100), &ends(9));
        observed.at(4, partition(3, 50), &ends(20));
        observed.left(4, 3);
        let read = observed.read("w", &["brake"], 130, |_| 0);
        assert_eq!((read.partitions[0].time, read.partitions[0].behind), (Some(100), Some(30)));
        assert_eq!(read.lag(), 6, "more has been written since it was told");
        observed.left(5, 3);
        assert!(observed.read("w", &["brake"], 130, |_| 0).partitions.is_empty());
    }
}
