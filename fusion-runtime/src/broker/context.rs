//! Where librdkafka's own words go: to `tracing`, under the target `librdkafka`.

use std::sync::Mutex;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The context of a client that has no hooks of its own: it logs, and remembers the last error.
///
/// Contexts with hooks call [`log`] and [`report`] from their own methods.
#[derive(Debug, Default)]
pub struct LogContext {
    last: Mutex<Option<String>>,
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
        report(&error, reason);
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

/// Passes an error of a whole client on. librdkafka goes on by itself after nearly all of them: a broker that is
/// away, most often.
pub fn report(error: &KafkaError, reason: &str) {
    tracing::warn!(target: "librdkafka", code = ?error.rdkafka_error_code(), "{reason}");
}
