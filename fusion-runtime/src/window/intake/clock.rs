//! What one source partition says about time, for one window: judged once, here, by whoever reads the partition.

/// Beyond `max_future` and this, a record would hold the log back for too long, and is skipped.
const FURTHER: i64 = 24 * 60 * 60 * 1_000;

/// The newest event time of a partition. All times in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Newest {
    /// `None` until a record was seen.
    pub(crate) time: Option<i64>,
    /// When it arrived, by our clock.
    pub(crate) arrived: i64,
}

/// What a record's time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It is gathered, and moves time if it is the newest.
    Gathered,
    /// It is gathered, but is so far ahead of the clock that it does not move time: one fast clock must not close
    /// everybody's windows.
    Ahead,
    /// It is skipped.
    TooFar,
    /// It is skipped: there is no time before 1970.
    Negative,
}

impl Newest {
    /// Takes in a record of `time` that arrives `now`.
    pub(crate) fn take(&mut self, time: i64, now: i64, max_future: Option<i64>) -> Judged {
        if time < 0 {
            return Judged::Negative;
        }
        if let Some(most) = max_future {
            let ahead = time.saturating_sub(now);
            if ahead > most.saturating_add(FURTHER) {
                return Judged::TooFar;
            }
            if ahead > most {
                return Judged::Ahead;
            }
        }
        if self.time.is_none_or(|newest| newest < time) {
            *self = Newest { time: Some(time), arrived: now };
        }
        Judged::Gathered
    }
}

/// Whether a partition is silent: caught up to its confirmed end, and nothing that speaks of time came for a while. What
/// windows skip, or do not let move time, is no word: else a topic of bytes that nobody can read would hold time for ever.
/// Windows that share a partition skip different records, so each says itself since when it heard nothing.
#[derive(Debug)]
pub(crate) struct Silence {
    /// The offset of the record that comes next.
    next: i64,
    /// The last end that was seen; a record behind it undoes it.
    end: Option<i64>,
    /// When the leader last said that this is the end.
    confirmed: Option<i64>,
}

impl Silence {
    pub(crate) fn new(next: i64) -> Self {
        Silence { next, end: None, confirmed: None }
    }

    /// A record arrived.
    pub(crate) fn record(&mut self, offset: i64) {
        (self.next, self.end, self.confirmed) = (offset + 1, None, None);
    }

    /// The end of the partition was seen at `offset`, behind markers of transactions too.
    pub(crate) fn end(&mut self, offset: i64) {
        if offset >= self.next {
            (self.next, self.end) = (offset, Some(offset));
        }
    }

    /// The offset of the record that comes next.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// When it may be called silent after `idle`, if nothing was heard since `heard` and nothing arrives until then; `None`
    /// while it is not caught up.
    pub(crate) fn due(&self, heard: i64, idle: i64) -> Option<i64> {
        self.end.map(|_| heard.saturating_add(idle))
    }

    /// Whether its leader has to be asked before it can be called silent now.
    pub(crate) fn is_unconfirmed(&self, heard: i64, idle: i64, now: i64) -> bool {
        self.due(heard, idle).is_some_and(|due| due <= now)
            && self.confirmed.is_none_or(|confirmed| now - confirmed >= idle)
    }

    /// The leader said where the partition ends, when asked at `asked`.
    pub(crate) fn confirm(&mut self, end: Option<i64>, asked: i64) {
        match end {
            Some(end) if self.end == Some(end) => self.confirmed = Some(asked),
            // More has been written, or nobody knows.
            _ => self.confirmed = None,
        }
    }

    /// Whether it is silent now.
    pub(crate) fn is_idle(&self, heard: i64, idle: i64, now: i64) -> bool {
        self.due(heard, idle).is_some_and(|due| due <= now)
            && self.confirmed.is_some_and(|confirmed| now - confirmed < idle.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1_000;

    #[test]
    fn only_the_newest_moves_time() {
        let mut newest = Newest::default();
        assert_eq!(newest.take(50, 100, Some(10)), Judged::Gathered);
        assert_eq!(newest.take(40, 200, Some(10)), Judged::Gathered);
        assert_eq!(newest, Newest { time: Some(50), arrived: 100 });
        assert_eq!(newest.take(60, 300, Some(10)), Judged::Gathered);
        assert_eq!(newest, Newest { time: Some(60), arrived: 300 });
    }

    #[test]
    fn a_record_from_the_future_is_gathered_and_moves_nothing() {
        let mut newest = Newest::default();
        assert_eq!(newest.take(1_010, 1_000, Some(10)), Judged::Gathered);
        assert_eq!(newest.take(1_011, 1_000, Some(10)), Judged::Ahead);
        assert_eq!(newest.time, Some(1_010));
        assert_eq!(newest.take(1_010 + DAY, 1_000, Some(10)), Judged::Ahead);
        assert_eq!(newest.take(1_011 + DAY, 1_000, Some(10)), Judged::TooFar);
        assert_eq!(newest.take(1_011 + DAY, 1_000, None), Judged::Gathered, "`never` asks no clock");
    }

    #[test]
    fn there_is_no_time_before_1970() {
        let mut newest = Newest::default();
        assert_eq!(newest.take(-1, 0, None), Judged::Negative);
        assert_eq!(newest.time, None);
    }

    #[test]
    fn silence_takes_the_end_the_time_and_the_leaders_word() {
        let mut silence = Silence::new(0);
        assert!(!silence.is_unconfirmed(1_000, 10, 5_000), "not caught up");
        silence.record(4);
        silence.end(5);
        assert_eq!(silence.due(2_000, 10), Some(2_010));
        assert!(!silence.is_unconfirmed(2_000, 10, 2_009), "not long enough");
        assert!(
            silence.is_unconfirmed(2_000, 10, 2_010) && !silence.is_idle(2_000, 10, 2_010),
            "nobody was asked"
        );
        silence.confirm(Some(5), 2_010);
        assert!(silence.is_idle(2_000, 10, 2_010) && !silence.is_unconfirmed(2_000, 10, 2_019));
        assert!(silence.is_unconfirmed(2_000, 10, 2_020), "the word holds for as long as the silence has to");
        assert!(silence.is_idle(2_000, 10, 2_029) && !silence.is_idle(2_000, 10, 2_030));
    }

    #[test]
    fn a_lagging_or_unreachable_partition_is_never_idle() {
        let mut silence = Silence::new(0);
        silence.end(5);
        silence.confirm(Some(6), 100);
        assert!(!silence.is_idle(0, 10, 100), "there is more than we saw");
        silence.confirm(Some(5), 100);
        assert!(silence.is_idle(0, 10, 100));
        silence.confirm(None, 110);
        assert!(!silence.is_idle(0, 10, 110), "the leader does not answer");
    }

    #[test]
    fn a_record_ends_the_silence() {
        let mut silence = Silence::new(0);
        silence.end(5);
        silence.confirm(Some(5), 100);
        silence.record(5);
        assert!(!silence.is_idle(0, 10, 200), "there may be more");
        silence.end(6);
        assert!(!silence.is_idle(0, 10, 200), "an old word says nothing of a new end");
        assert_eq!(silence.next(), 6);
        silence.confirm(Some(6), 200);
        assert!(silence.is_idle(0, 10, 200), "what no window heard is no word");
        assert!(!silence.is_idle(195, 10, 200), "another one may have heard it");
    }
}
