//! What is too far ahead of the clock, in a log that may be read again.

use super::{Intake, Skip, heard::judge};

/// How many stretches are remembered, each of a day at least.
const MOST: usize = 64;

/// What was skipped of a log for being too far ahead, as long as the log may be read again from there.
///
/// The clock goes on: what it was too far ahead of an hour ago it is not now. So a replay does not ask the clock. It asks
/// from which time on records were skipped, and for that to tell all of them from those that were gathered, what is as
/// far ahead as a record that was skipped is skipped, too, until ordinary records have come so far: then a new stretch
/// of the log begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// In the order of their offsets.
    stretches: Vec<Stretch>,
    /// The last offset that was skipped, and the highest time that was not: a replay finds them again.
    last: Option<i64>,
    most: Option<i64>,
}

/// A part of a log that reaches to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The offset at which it begins.
    pub from: i64,
    /// The time from which on its records were skipped.
    pub least: i64,
}

impl Far {
    /// As a commit remembers it.
    pub fn new(stretches: Vec<Stretch>) -> Self {
        Far { stretches, last: None, most: None }
    }

    /// What a commit must remember.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Judges a record that is new.
    pub(super) fn take(&mut self, offset: i64, time: i64, clock: i64, max_future: Option<i64>) -> Intake {
        let judged = judge(time, clock, max_future);
        let least = self.stretches.last().map_or(i64::MAX, |stretch| stretch.least);
        let judged = match judged {
            Intake::Ahead if time >= least => Intake::Skipped(Skip::TooFar),
            // The clock was ahead of this one when that was gathered.
            Intake::Skipped(Skip::TooFar) if self.most.is_some_and(|most| time <= most) && time < least => {
                Intake::Ahead
            }
            Intake::Taken if time >= least => {
                self.begin(Stretch { from: offset, least: i64::MAX });
                judged
            }
            _ => judged,
        };
        match judged {
            Intake::Skipped(Skip::TooFar) => {
                self.last = Some(offset);
                match self.stretches.last_mut() {
                    Some(stretch) => stretch.least = stretch.least.min(time),
                    None => self.begin(Stretch { from: offset, least: time }),
                }
            }
            Intake::Skipped(_) => {}
            _ => self.most = self.most.max(Some(time)),
        }
        judged
    }

    /// Judges a record once more.
    pub(super) fn again(&mut self, offset: i64, time: i64) -> Intake {
        if time < 0 {
            return Intake::Skipped(Skip::Negative);
        }
        let stretch = self.stretches.iter().rfind(|stretch| stretch.from <= offset);
        if stretch.is_some_and(|stretch| time >= stretch.least) {
            self.last = Some(offset);
            return Intake::Skipped(Skip::TooFar);
        }
        self.most = self.most.max(Some(time));
        Intake::Again
    }

    /// Nothing below `needed` is read again.
    pub(super) fn forget(&mut self, needed: i64) {
        if self.last.is_none_or(|last| last < needed) {
            self.stretches.clear();
        }
        let over = self.stretches.iter().skip(1).filter(|next| next.from <= needed).count();
        self.stretches.drain(..over);
    }

    fn begin(&mut self, stretch: Stretch) {
        self.stretches.push(stretch);
        if self.stretches.len() > MOST {
            // What was skipped two months ago is gathered if it is read again, which is better than losing anything.
            self.stretches.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::heard::TOO_FAR, *};

    const MOST_FUTURE: i64 = 10;
    const LIMIT: i64 = MOST_FUTURE + TOO_FAR;
    const TOO: Intake = Intake::Skipped(Skip::TooFar);

    fn take(far: &mut Far, offset: i64, time: i64, clock: i64) -> Intake {
        far.take(offset, time, clock, Some(MOST_FUTURE))
    }

    #[test]
    fn what_was_skipped_is_skipped_again_and_what_was_not_is_not() {
        let mut far = Far::default();
        let first = [
            (0, 5, Intake::Taken),
            (1, LIMIT, Intake::Ahead),
            (2, LIMIT + 1, TOO),
            (3, -1, Intake::Skipped(Skip::Negative)),
        ];
        for (offset, time, judged) in first {
            assert_eq!(take(&mut far, offset, time, 0), judged);
        }
        let mut again = Far::new(far.stretches().to_vec());
        for (offset, time, judged) in first {
            let judged = if matches!(judged, Intake::Skipped(_)) { judged } else { Intake::Again };
            assert_eq!(again.again(offset, time), judged);
        }
        assert_eq!(again, far, "and it knows what it knew");
    }

    #[test]
    fn as_far_as_one_that_was_skipped_is_too_far_until_time_has_come_there() {
        let mut far = Far::default();
        assert_eq!(take(&mut far, 0, LIMIT + 100, 0), TOO);
        assert_eq!(take(&mut far, 1, LIMIT + 99, 200), Intake::Ahead);
        assert_eq!(take(&mut far, 2, LIMIT + 100, 200), TOO, "a replay could not tell it from the first");
        assert_eq!(take(&mut far, 3, LIMIT + 100, LIMIT + 90), Intake::Taken, "nobody's clock is ahead");
        assert_eq!(take(&mut far, 4, LIMIT + 150, LIMIT + 90), Intake::Ahead);
        let mut again = Far::new(far.stretches().to_vec());
        assert_eq!(again.again(2, LIMIT + 100), TOO);
        assert_eq!(again.again(3, LIMIT + 100), Intake::Again);
        assert_eq!(again.again(4, LIMIT + 150), Intake::Again);
    }

    #[test]
    fn a_clock_that_is_behind_the_last_ones_does_not_skip_what_that_had_gathered() {
        let mut far = Far::default();
        assert_eq!(take(&mut far, 0, LIMIT + 50, 50), Intake::Ahead);
        assert_eq!(take(&mut far, 1, LIMIT + 50, 0), Intake::Ahead);
        assert_eq!(take(&mut far, 2, LIMIT + 51, 0), TOO);
    }

    #[test]
    fn it_is_forgotten_with_the_log() {
        let mut far = Far::default();
        assert_eq!(take(&mut far, 7, LIMIT + 1, 0), TOO);
        let first = Stretch { from: 7, least: LIMIT + 1 };
        far.forget(7);
        assert_eq!(far.stretches(), [first]);
        assert_eq!(take(&mut far, 8, LIMIT + 1, LIMIT), Intake::Taken);
        assert_eq!(take(&mut far, 9, 3 * LIMIT, LIMIT), TOO);
        let second = Stretch { from: 8, least: 3 * LIMIT };
        far.forget(7);
        assert_eq!(far.stretches(), [first, second]);
        far.forget(9);
        assert_eq!(far.stretches(), [second]);
        far.forget(10);
        assert_eq!(far.stretches(), []);
    }

    #[test]
    fn it_is_bounded() {
        let mut far = Far::default();
        for day in 0..100 {
            assert_eq!(take(&mut far, 2 * day, (day + 1) * 2 * LIMIT - 1, day * 2 * LIMIT), TOO);
            assert_eq!(
                take(&mut far, 2 * day + 1, (day + 1) * 2 * LIMIT - 1, (day + 1) * 2 * LIMIT - 1),
                Intake::Taken
            );
        }
        assert_eq!(far.stretches().len(), MOST);
    }
}
