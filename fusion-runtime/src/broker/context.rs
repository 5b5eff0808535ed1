//! Where librdkafka's own words go: to `tracing`, under the target `librdkafka`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The context of a client that has no hooks of its own: it logs, and remembers the last error.
///
/// Contexts with hooks call [`log`] and [`Errors::report`] from their own methods.
#[derive(Debug, Default)]
pub struct LogContext {
    last: Mutex<Option<String>>,
    errors: Errors,
}

impl LogContext {
    /// What the client complained about last: the reason why a broker cannot be reached, say.
    pub fn last_error(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl ClientContext for LogContext {
    fn log(&self, level: Level, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.report(&error, reason);
        // This one only counts the others, which say why.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        *self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(reason.to_owned());
    }
}

impl ConsumerContext for LogContext {}

/// Passes one of librdkafka's log lines on.
pub fn log(level: Level, facility: &str, message: &str) {
    // Properties of the other side are set on purpose: `KAFKA_*` variables are for both.
    if facility == "CONFWARN" && message.contains("will be ignored by this") {
        return;
    }
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        Level::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        Level::Notice | Level::Info => tracing::info!(target: "librdkafka", facility, "{message}"),
        Level::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// At most one error of a kind is logged in this time.
const QUIET: Duration = Duration::from_secs(10);

/// More kinds than a client has: their words may hold what changes.
const KINDS: usize = 64;

/// The errors of one client. While no broker can be reached, librdkafka says so at every attempt, several times a second.
#[derive(Debug, Default)]
pub struct Errors {
    kinds: Mutex<HashMap<String, Logged>>,
}

/// When an error of one kind was logged last, and how many there were since.
#[derive(Debug)]
struct Logged {
    at: Instant,
    since: u64,
}

impl Errors {
    /// Passes an error of a whole client on, or counts it, if one like it was passed on a few seconds ago. librdkafka goes
    /// on by itself after nearly all of them: a broker that is away, most often.
    pub fn report(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        match self.tell(kind(code, reason), Instant::now()) {
            None => {}
            Some(0) => tracing::warn!(target: "librdkafka", ?code, "{reason}"),
            Some(not_logged) => tracing::warn!(target: "librdkafka", ?code, not_logged, "{reason}"),
        }
    }

    /// Whether an error is logged now, with the number of those like it that were not.
    fn tell(&self, kind: &str, now: Instant) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(logged) = kinds.get_mut(kind) {
            if now.saturating_duration_since(logged.at) < QUIET {
                logged.since += 1;
                return None;
            }
            logged.at = now;
            return Some(std::mem::take(&mut logged.since));
        }
        if kinds.len() >= KINDS {
            kinds.clear();
        }
        kinds.insert(kind.to_owned(), Logged { at: now, since: 0 });
        Some(0)
    }
}

/// What an error has in common with others like it: librdkafka begins with how many brokers are down, or ends with how
/// long it took, in parentheses.
fn kind(code: Option<RDKafkaErrorCode>, reason: &str) -> &str {
    match code {
        Some(RDKafkaErrorCode::AllBrokersDown) => "",
        _ => reason.split_once(" (after ").map_or(reason, |(kind, _)| kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_logged_at_once_and_then_at_most_every_ten_seconds_with_a_count() {
        let (errors, start) = (Errors::default(), Instant::now());
        let down = |seconds| errors.tell("down", start + Duration::from_secs(seconds));
        assert_eq!([down(0), down(0), down(5), down(9)], [Some(0), None, None, None]);
        assert_eq!([down(10), down(19)], [Some(3), None]);
        assert_eq!([down(3_600), down(7_200)], [Some(1), Some(0)]);
    }

    #[test]
    fn numbers_make_no_other_kind_and_brokers_do() {
        let refused = |broker, ms| {
            let reason = format!("{broker}: Connection refused (after {ms}ms in state CONNECT)");
            kind(Some(RDKafkaErrorCode::BrokerTransportFailure), &reason).to_owned()
        };
        assert_eq!(refused("kafka-1", 0), refused("kafka-1", 2));
        assert_ne!(refused("kafka-1", 0), refused("kafka-2", 0));
        let down = |reason| kind(Some(RDKafkaErrorCode::AllBrokersDown), reason);
        assert_eq!(down("0/2 brokers are down"), down("2/2 brokers are down"));
        let (errors, now) = (Errors::default(), Instant::now());
        assert_eq!(
            ["kafka-1", "kafka-1", "kafka-2"].map(|kind| errors.tell(kind, now)),
            [Some(0), None, Some(0)]
        );
    }

    #[test]
    fn words_that_always_differ_take_no_room() {
        let (errors, now) = (Errors::default(), Instant::now());
        assert!((0..10 * KINDS).all(|number| errors.tell(&number.to_string(), now) == Some(0)));
        assert!(errors.kinds.lock().unwrap().len() <= KINDS);
    }
}
