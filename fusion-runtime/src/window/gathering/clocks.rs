//! Whether those who write into a log agree on what time it is.

/// The least distance of two warnings, in milliseconds.
const AGAIN: i64 = 60_000;

/// Writers' clocks are assumed within a third of the lease of each other: a claim holds for a lease by the log's newest
/// stamp, and is repeated every third of it. A writer whose clock is behind by more loses its claims early, and time
/// stands.
#[derive(Debug)]
pub(super) struct Clocks {
    most: i64,
    warned: Option<i64>,
}

/// A stamp that should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Apart {
    /// How far the stamp is behind the newest, in milliseconds.
    pub(super) behind: i64,
    /// Whether nobody was warned for a while.
    pub(super) warn: bool,
}

impl Clocks {
    pub(super) fn new(lease: i64) -> Self {
        Clocks { most: lease / 3, warned: None }
    }

    /// Looks at the stamp of the record that follows one stamped `newest`. Only one that is behind tells something: stamps
    /// also jump ahead when nobody has written for a while, and where a clock is ahead the others are behind it.
    pub(super) fn see(&mut self, newest: Option<i64>, stamp: i64, now: i64) -> Option<Apart> {
        let behind = newest?.saturating_sub(stamp);
        if behind <= self.most {
            return None;
        }
        let warn = self.warned.is_none_or(|warned| now.saturating_sub(warned) >= AGAIN);
        if warn {
            self.warned = Some(now);
        }
        Some(Apart { behind, warn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_far_behind_the_newest_is_told_and_warned_of_once_a_minute() {
        let mut clocks = Clocks::new(3_000);
        assert_eq!(clocks.see(None, 5, 0), None, "the first one");
        assert_eq!(clocks.see(Some(10_000), 9_000, 0), None, "a third of the lease");
        assert_eq!(clocks.see(Some(10_000), 90_000, 0), None, "nobody wrote for a while");
        let apart = |warn| Some(Apart { behind: 1_001, warn });
        assert_eq!(clocks.see(Some(10_000), 8_999, 0), apart(true));
        assert_eq!(clocks.see(Some(10_000), 8_999, 59_999), apart(false));
        assert_eq!(clocks.see(Some(10_000), 8_999, 60_000), apart(true));
    }
}
