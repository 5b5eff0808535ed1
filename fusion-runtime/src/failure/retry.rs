use std::time::Duration;

/// How often a failed run is repeated, and after which pauses: exponential back-off with jitter.
///
/// ```
/// use std::time::Duration;
/// use fusion_runtime::failure::RetryPolicy;
///
/// let policy = RetryPolicy { jitter: 0.0, ..RetryPolicy::default() };
/// assert_eq!(policy.delay(1, 0.0), Duration::from_millis(100));
/// assert_eq!(policy.delay(2, 0.0), Duration::from_millis(200));
/// assert_eq!(policy.delay(60, 0.0), policy.max);
/// assert!(policy.allows(3) && !policy.allows(4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Further attempts after the first one. 0 repeats nothing.
    pub attempts: u32,
    /// The pause before the first further attempt.
    pub first: Duration,
    /// No pause is longer.
    pub max: Duration,
    /// By how much each pause is longer than the one before. Below 1 counts as 1.
    pub factor: f64,
    /// The part of a pause that is left to chance, 0 to 1: with 0.5 a pause of 100 ms is one of 50 to 100 ms. It
    /// keeps callers that failed together from coming back together.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    /// Three further attempts after about 100, 200 and 400 ms, of which half is left to chance.
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(100),
            max: Duration::from_secs(10),
            factor: 2.0,
            jitter: 0.5,
        }
    }
}

impl RetryPolicy {
    /// Repeats nothing.
    pub const fn never() -> Self {
        Self { attempts: 0, first: Duration::ZERO, max: Duration::ZERO, factor: 1.0, jitter: 0.0 }
    }

    /// Whether there is a further attempt of this number; the first further one is 1.
    pub fn allows(&self, attempt: u32) -> bool {
        attempt <= self.attempts
    }

    /// The pause before a further attempt; the first further one is 1. `random` is a number from 0 to 1, from
    /// whatever source the caller has. Any number is taken, and the answer is never above [`RetryPolicy::max`].
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.first.as_secs_f64() * self.factor.max(1.0).powi(exponent);
        let longest = longest.min(self.max.as_secs_f64());
        let delay = longest * (1.0 - self.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0));
        // What is no number fails here.
        Duration::try_from_secs_f64(delay).map_or(self.max, |delay| delay.min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy { max: Duration::from_millis(500), ..RetryPolicy::default() };
        let without_chance: Vec<_> = (1..=5).map(|attempt| policy.delay(attempt, 0.0).as_millis()).collect();
        assert_eq!(without_chance, [100, 200, 400, 500, 500]);
        let with_all_of_it: Vec<_> = (1..=5).map(|attempt| policy.delay(attempt, 1.0).as_millis()).collect();
        assert_eq!(with_all_of_it, [50, 100, 200, 250, 250]);
    }

    #[test]
    fn a_pause_of_nothing_stays_nothing() {
        let policy = RetryPolicy { first: Duration::ZERO, factor: f64::INFINITY, ..RetryPolicy::default() };
        assert_eq!(policy.delay(1, 0.3), Duration::ZERO);
        assert_eq!(RetryPolicy::never().delay(7, 0.3), Duration::ZERO);
        assert!(!RetryPolicy::never().allows(1));
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_pause_within_bounds(
            first in any::<Duration>(), max in any::<Duration>(),
            factor in any::<f64>(), jitter in any::<f64>(), random in any::<f64>(), attempt in any::<u32>(),
        ) {
            let policy = RetryPolicy { attempts: 3, first, max, factor, jitter };
            prop_assert!(policy.delay(attempt, random) <= max);
        }

        #[test]
        fn pauses_never_get_shorter(attempt in 1u32..100) {
            let policy = RetryPolicy::default();
            prop_assert!(policy.delay(attempt, 0.5) <= policy.delay(attempt + 1, 0.5));
        }
    }
}
