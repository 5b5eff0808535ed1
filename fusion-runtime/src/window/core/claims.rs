//! Where time is in a re-keyed log: over what the writers of that log claim of their source partitions.

use std::collections::{BTreeMap, VecDeque};

use super::{HeldBackReason, Newest, Reason, Time, time::over};

/// What a control record says; whoever writes it into the log makes bytes of it.
///
/// One ends each transaction of a writer, for every log partition that it wrote to, and at least every third of the lease
/// one that says the same again. A tick, which the log's own owner writes so that time goes on while all is silent, is one
/// without claims: time moves when it is read back, so a replay moves it at the same place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The writer's clock when it wrote, in milliseconds since 1970.
    pub stamp: i64,
    /// How long its claims hold, in milliseconds; `None` of earlier versions, which did not say. It is the writer's, for a
    /// replay has to find the same claims expired, whatever is declared by then.
    pub lease: Option<i64>,
    /// How many partitions each source topic has, in the order of the declaration. Pinned: with another count, keys would
    /// meet elsewhere. Topics should be written by name, for the declaration's order may change between deploys.
    pub counts: Vec<i32>,
    /// One for each source partition that the writer owns.
    pub claims: Vec<Claim>,
}

/// What a writer claims of a source partition. It stands for itself: nothing of an earlier one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The topic's place in the declaration.
    pub topic: u16,
    /// The partition.
    pub partition: i32,
    /// The newest event time, and when it arrived by the writer's clock: when all partitions are idle, time is the newest
    /// and what the log's stamps have moved on since then. `None` until the partition has spoken.
    pub newest: Option<Newest>,
    /// Caught up with the confirmed end, and silent.
    pub idle: bool,
}

/// A control record that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The partition counts of the source topics are not those that the log was begun with.
    #[error("the source topics had {was:?} partitions and now have {now:?}: keys would meet elsewhere")]
    Counts {
        /// As they were before.
        was: Vec<i32>,
        /// As the control record has them.
        now: Vec<i32>,
    },
    /// A claim of a partition that does not exist.
    #[error("a claim of partition {partition} of source topic {topic}, which does not exist")]
    NoSuchPartition {
        /// The topic's place in the declaration.
        topic: u16,
        /// The partition.
        partition: i32,
    },
}

/// What was claimed last of each source partition, read from one re-keyed log.
///
/// A claim holds for a lease, its writer's, counted by the stamps in the log and by nothing else. While that of any
/// partition has expired, or was never made, time stands: its owner may be gone, and the next may have more to say. So what
/// was claimed longer ago than a lease is as good as unknown, and a replay need not go back for it.
#[derive(Clone, Debug)]
pub struct Claims {
    lease: i64,
    follow_clock: bool,
    counts: Option<Vec<i32>>,
    /// With the last stamp by which it holds.
    claims: BTreeMap<(u16, i32), (i64, Claim)>,
    newest_stamp: Option<i64>,
    /// The control records: offset, and the last stamp by which its claims hold. Those at the front that do no more are
    /// dropped.
    recent: VecDeque<(i64, i64)>,
}

impl Claims {
    /// Nothing is known. `lease` is the milliseconds for which a claim holds that does not say so itself.
    pub fn new(lease: i64) -> Self {
        Claims {
            lease,
            follow_clock: true,
            counts: None,
            claims: BTreeMap::new(),
            newest_stamp: None,
            recent: VecDeque::new(),
        }
    }

    /// Time stands still while all partitions are idle.
    #[must_use]
    pub fn without_clock(mut self) -> Self {
        self.follow_clock = false;
        self
    }

    /// Takes the control record at `offset`, and says the time by it; `None` while it is unknown or held. Below the offset
    /// that a cut needs, a replay gives it control records too, and does not ask for the time.
    ///
    /// # Errors
    /// When source topics have got more partitions, or a claim is of none of them. Nothing is taken of such a record.
    pub fn read(&mut self, offset: i64, control: &Control) -> Result<Option<Time>, ClaimsError> {
        let counts = self.counts.get_or_insert_with(|| control.counts.clone());
        if *counts != control.counts {
            return Err(ClaimsError::Counts { was: counts.clone(), now: control.counts.clone() });
        }
        for &Claim { topic, partition, .. } in &control.claims {
            if !counts.get(usize::from(topic)).is_some_and(|count| (0..*count).contains(&partition)) {
                return Err(ClaimsError::NoSuchPartition { topic, partition });
            }
        }
        let lease = control.lease.unwrap_or(self.lease).max(0);
        let until = control.stamp.saturating_add(lease);
        for claim in &control.claims {
            self.claims.insert((claim.topic, claim.partition), (until, *claim));
        }
        self.newest_stamp = self.newest_stamp.max(Some(control.stamp));
        self.recent.push_back((offset, until));
        while self.recent.front().is_some_and(|(_, until)| self.has_expired(*until)) {
            self.recent.pop_front();
        }
        Ok(self.time())
    }

    /// The offset from which the log has to be read to know what is known now; `None` before the first control record.
    pub fn begin(&self) -> Option<i64> {
        self.recent.front().map(|(offset, _)| *offset)
    }

    /// The newest stamp: the log's clock. Writers whose stamps differ from it by more than a third of the lease should be
    /// warned of.
    pub fn newest_stamp(&self) -> Option<i64> {
        self.newest_stamp
    }

    /// The stamp by which the clock moves time to `time`; `None` unless all partitions are idle. Whoever writes a control
    /// record stamped so, or later, moves time there when it is read back.
    pub fn due(&self, time: i64) -> Option<i64> {
        let now = self.time().filter(|now| now.reason == Reason::Idle)?;
        let newest = self.newest_stamp?;
        self.follow_clock.then(|| newest.saturating_add(time.saturating_sub(now.at)))
    }

    /// The source partition that holds time back, its topic by its place: one whose claim has expired or was never made,
    /// else of those that are not idle the one that has not spoken or is the slowest. `None` before the first control
    /// record, and when all are idle.
    pub fn holder(&self) -> Option<(u16, i32, HeldBackReason)> {
        let places = self.counts.iter().flatten().zip(0_u16..);
        let mut places =
            places.flat_map(|(count, topic)| (0..*count).map(move |partition| (topic, partition)));
        let unknown = places.find_map(|(topic, partition)| match self.claims.get(&(topic, partition)) {
            None => Some((topic, partition, HeldBackReason::Unknown)),
            Some((until, _)) if self.has_expired(*until) => Some((topic, partition, HeldBackReason::Expired)),
            Some(_) => None,
        });
        unknown.or_else(|| {
            let awake = self.claims.values().map(|(_, claim)| claim).filter(|claim| !claim.idle);
            let slowest = awake.min_by_key(|claim| claim.newest.map(|newest| newest.time))?;
            Some((slowest.topic, slowest.partition, HeldBackReason::of(slowest.newest.is_some())))
        })
    }

    fn has_expired(&self, until: i64) -> bool {
        self.newest_stamp.is_some_and(|newest| newest > until)
    }

    fn time(&self) -> Option<Time> {
        let all = self.counts.iter().flatten().map(|count| i64::from(*count)).sum::<i64>();
        if self.claims.len() as i64 != all || self.claims.values().any(|(until, _)| self.has_expired(*until))
        {
            return None;
        }
        let claims = self.claims.values().map(|(_, claim)| (claim.newest, claim.idle));
        over(claims, self.newest_stamp?, self.follow_clock)
    }
}
