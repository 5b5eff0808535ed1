//! What one partition says about time.

/// Beyond `max_future` by this much, a record would hold back the log for longer than it is worth.
pub(super) const TOO_FAR: i64 = 24 * 60 * 60 * 1000;

/// The newest event time of a partition. The order is that of the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newest {
    /// The event time.
    pub time: i64,
    /// When its record arrived, by the clock of who read it.
    pub arrived: i64,
}

/// What a record is to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// An ordinary one.
    Taken,
    /// More than `max_future` ahead of the clock: gathered and counted, but time does not move by it, and its partition is
    /// no less silent for it.
    Ahead,
    /// It was gathered before, and is again: time was moved by it then, or was not, and does not now.
    Again,
    /// Not gathered.
    Skipped(Skip),
}

/// Why a record never reaches a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// Its event time is below 0.
    Negative,
    /// It is more than 24 hours further ahead of the clock than `max_future`.
    TooFar,
}

impl Skip {
    /// The word for it in metrics and dead letters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Skip::Negative => "negative_timestamp",
            Skip::TooFar => "too_far",
        }
    }
}

/// What was heard of a partition, by who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// `None` until it has spoken.
    pub newest: Option<Newest>,
    /// When it last had a word about time, newest or not; at first, when it was assigned.
    pub at: i64,
}

impl Heard {
    /// Of a partition that was assigned now, of which a commit remembers this.
    pub fn new(newest: Option<Newest>, now: i64) -> Self {
        Heard { newest, at: now }
    }

    /// Judges a record with this event time that arrives now, and takes in what it says.
    pub fn take(&mut self, time: i64, clock: i64, max_future: Option<i64>) -> Intake {
        self.heed(judge(time, clock, max_future), time, clock)
    }

    /// Takes in what a record says that was judged so.
    pub(super) fn heed(&mut self, judged: Intake, time: i64, clock: i64) -> Intake {
        if judged == Intake::Taken {
            self.at = clock;
            if self.newest.is_none_or(|newest| newest.time < time) {
                self.newest = Some(Newest { time, arrived: clock });
            }
        }
        judged
    }
}

/// What a record is to time, by this clock alone.
pub(super) fn judge(time: i64, clock: i64, max_future: Option<i64>) -> Intake {
    let ahead = time.saturating_sub(clock);
    match max_future {
        _ if time < 0 => Intake::Skipped(Skip::Negative),
        Some(most) if ahead > most.saturating_add(TOO_FAR) => Intake::Skipped(Skip::TooFar),
        Some(most) if ahead > most => Intake::Ahead,
        _ => Intake::Taken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> Heard {
        Heard::new(None, 0)
    }

    #[test]
    fn only_the_newest_moves_time() {
        let mut heard = heard();
        assert_eq!(heard.take(50, 100, Some(10)), Intake::Taken);
        assert_eq!(heard.take(40, 200, Some(10)), Intake::Taken);
        assert_eq!(heard, Heard { newest: Some(Newest { time: 50, arrived: 100 }), at: 200 });
        assert_eq!(heard.take(60, 300, Some(10)), Intake::Taken);
        assert_eq!(heard.newest, Some(Newest { time: 60, arrived: 300 }));
    }

    #[test]
    fn a_record_from_the_future_is_gathered_and_moves_nothing() {
        let mut heard = heard();
        assert_eq!(heard.take(1_010, 1_000, Some(10)), Intake::Taken);
        assert_eq!(heard.take(1_011, 1_010, Some(0)), Intake::Ahead);
        assert_eq!(heard.take(1_010 + TOO_FAR, 1_010, Some(0)), Intake::Ahead);
        assert_eq!(heard.take(1_011 + TOO_FAR, 1_010, Some(0)), Intake::Skipped(Skip::TooFar));
        assert_eq!(heard, Heard { newest: Some(Newest { time: 1_010, arrived: 1_000 }), at: 1_000 });
        assert_eq!(heard.take(1_011 + TOO_FAR, 1_010, None), Intake::Taken, "`never` asks no clock");
    }

    #[test]
    fn there_is_no_time_before_1970() {
        let mut heard = heard();
        assert_eq!(heard.take(-1, 5, None), Intake::Skipped(Skip::Negative));
        assert_eq!(heard, self::heard());
    }
}
