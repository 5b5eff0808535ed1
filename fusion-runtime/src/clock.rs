//! The clock, in the unit of everything on the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The timestamp with which something is sent, as near to this one as brokers take it: by default those that are more than
/// an hour ahead of their clock are refused.
pub(crate) fn sendable(timestamp: i64) -> i64 {
    // Their clocks may be behind this one.
    const MOST_AHEAD: i64 = 55 * 60 * 1_000;
    timestamp.min(now().saturating_add(MOST_AHEAD))
}

/// When the clock will show `millis`, as far as timers go.
pub(crate) fn instant(millis: i64, now: i64) -> Instant {
    const FAR: u64 = 24 * 60 * 60 * 1_000;
    let ahead = u64::try_from(millis.saturating_sub(now)).unwrap_or(0);
    Instant::now() + Duration::from_millis(ahead.min(FAR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_far_ahead_is_sent_with_another_timestamp() {
        const HOUR: i64 = 3_600_000;
        for far in [2 * HOUR, 30 * HOUR, i64::MAX] {
            let before = now();
            let sent = sendable(before.saturating_add(far));
            assert!(before < sent && sent < now() + HOUR, "{sent}");
        }
        for taken in [i64::MIN, 0, now() - HOUR, now() + HOUR / 2] {
            assert_eq!(sendable(taken), taken);
        }
    }
}
