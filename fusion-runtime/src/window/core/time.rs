//! Where time is: over the partitions that are read.

use super::{Far, Heard, Intake, Newest, Reason};

/// The time of a window, in milliseconds since 1970, and what a window fires for that closes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// The time.
    pub at: i64,
    /// [`Reason::Closed`] when records moved it, [`Reason::Idle`] when all partitions are idle, [`Reason::Drained`].
    pub reason: Reason,
}

/// The partitions that are read, and time over them: the least of their newest event times, without those that are idle.
/// Where all are idle it is the largest, and goes on with the clock.
#[derive(Clone, Debug)]
pub struct Sources {
    idle: Option<i64>,
    follow_clock: bool,
    max_future: Option<i64>,
    partitions: Vec<Partition>,
    time: Option<i64>,
}

#[derive(Clone, Debug)]
struct Partition {
    heard: Heard,
    caught_up: bool,
    /// The lowest offset that was not judged before.
    high: i64,
    far: Far,
}

impl Sources {
    /// No partitions yet. A partition is idle after `idle` milliseconds of silence, never with `None`; a record does not
    /// move time if it is more than `max_future` ahead of the clock.
    pub fn new(idle: Option<i64>, max_future: Option<i64>) -> Self {
        Sources { idle, follow_clock: true, max_future, partitions: Vec::new(), time: None }
    }

    /// Time stands still while all partitions are idle.
    #[must_use]
    pub fn without_clock(mut self) -> Self {
        self.follow_clock = false;
        self
    }

    /// Adds a partition that was assigned now, with what a commit remembers of it. It is called by its number from then
    /// on: the first is 0.
    pub fn assign(&mut self, newest: Option<Newest>, now: i64) -> usize {
        let heard = Heard::new(newest, now);
        self.partitions.push(Partition { heard, caught_up: false, high: i64::MIN, far: Far::default() });
        self.partitions.len() - 1
    }

    /// What a partition has below `high` was judged before, as a commit remembers: it will not be judged by another clock.
    pub fn resume(&mut self, partition: usize, high: i64, far: Far) {
        let partition = &mut self.partitions[partition];
        (partition.high, partition.far) = (high, far);
    }

    /// The clock at which time will be `time`, if nothing arrives until then; `None` unless all partitions are idle.
    pub fn due(&self, time: i64, clock: i64) -> Option<i64> {
        let partitions = self
            .partitions
            .iter()
            .map(|partition| (partition.heard.newest, partition.is_idle(self.idle, clock)));
        let now = over(partitions, clock, self.follow_clock).filter(|now| now.reason == Reason::Idle)?;
        self.follow_clock.then(|| clock.saturating_add(time.saturating_sub(now.at)))
    }

    /// The time that a commit remembers. It does not go back behind that.
    pub fn restore(&mut self, time: Option<i64>) {
        self.time = self.time.max(time);
    }

    /// Whether a partition was read up to its confirmed end. Before it is, it is never idle.
    pub fn caught_up(&mut self, partition: usize, caught_up: bool) {
        self.partitions[partition].caught_up = caught_up;
    }

    /// Judges a record with this event time. [`now`](Self::now) says what it did to time.
    pub fn take(&mut self, partition: usize, time: i64, clock: i64) -> Intake {
        self.partitions[partition].heard.take(time, clock, self.max_future)
    }

    /// The same, of a log that may be read again from this offset or a lower one: there the record will be judged as it is
    /// now, whatever the clock.
    pub fn take_at(&mut self, partition: usize, offset: i64, time: i64, clock: i64) -> Intake {
        let max_future = self.max_future;
        let partition = &mut self.partitions[partition];
        if offset < partition.high {
            return partition.far.again(offset, time);
        }
        let judged = partition.far.take(offset, time, clock, max_future);
        partition.heard.heed(judged, time, clock)
    }

    /// What a commit must remember of a partition that may be read again from `needed`, so that its records are judged as
    /// they were.
    pub fn far(&mut self, partition: usize, needed: i64) -> &Far {
        let far = &mut self.partitions[partition].far;
        far.forget(needed);
        far
    }

    /// Whether a partition is caught up and silent.
    pub fn is_idle(&self, partition: usize, clock: i64) -> bool {
        self.partitions[partition].is_idle(self.idle, clock)
    }

    /// When a partition last had a word about time, or was assigned.
    pub fn heard(&self, partition: usize) -> i64 {
        self.partitions[partition].heard.at
    }

    /// The newest event time of a partition.
    pub fn newest(&self, partition: usize) -> Option<Newest> {
        self.partitions[partition].heard.newest
    }

    /// The time by this clock; `None` until each partition that is not idle has spoken.
    pub fn now(&mut self, clock: i64) -> Option<Time> {
        let partitions = self
            .partitions
            .iter()
            .map(|partition| (partition.heard.newest, partition.is_idle(self.idle, clock)));
        let time = over(partitions, clock, self.follow_clock);
        self.time = self.time.max(time.map(|time| time.at));
        let reason = time.map_or(Reason::Closed, |time| time.reason);
        self.time.map(|at| Time { at, reason })
    }

    /// The partition that holds time back: of those that are not idle the one that has not spoken or is the slowest.
    pub fn holder(&self, clock: i64) -> Option<usize> {
        let awake = self.partitions.iter().enumerate().filter(|(_, one)| !one.is_idle(self.idle, clock));
        awake
            .min_by_key(|(_, one)| one.heard.newest.map(|newest| newest.time))
            .map(|(partition, _)| partition)
    }

    /// Whether a partition is more than `distance` ahead of the slowest that is not idle, and should wait for it.
    pub fn is_ahead(&self, partition: usize, distance: i64, clock: i64) -> bool {
        let others = self.partitions.iter().filter(|other| !other.is_idle(self.idle, clock));
        let slowest = others.filter_map(|other| other.heard.newest).map(|newest| newest.time).min();
        let own = self.partitions[partition].heard.newest;
        own.zip(slowest).is_some_and(|(own, slowest)| own.time.saturating_sub(slowest) > distance)
    }
}

impl Partition {
    fn is_idle(&self, idle: Option<i64>, clock: i64) -> bool {
        self.caught_up && idle.is_some_and(|idle| clock.saturating_sub(self.heard.at) >= idle)
    }
}

/// The time over partitions, each with its newest and whether it is idle.
pub(super) fn over(
    partitions: impl Iterator<Item = (Option<Newest>, bool)>,
    clock: i64,
    follow_clock: bool,
) -> Option<Time> {
    let mut least = None;
    let mut largest: Option<Newest> = None;
    let mut all_idle = true;
    for (newest, idle) in partitions {
        if idle {
            // Of several with one time the last to arrive: time must not run ahead.
            largest = largest.max(newest);
            continue;
        }
        all_idle = false;
        let time = newest?.time;
        least = Some(least.map_or(time, |least: i64| least.min(time)));
    }
    if !all_idle {
        return least.map(|at| Time { at, reason: Reason::Closed });
    }
    let largest = largest?;
    let since = if follow_clock { clock.saturating_sub(largest.arrived).max(0) } else { 0 };
    Some(Time { at: largest.time.saturating_add(since), reason: Reason::Idle })
}
