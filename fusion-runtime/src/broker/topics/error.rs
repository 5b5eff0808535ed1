//! Why topics are not there.

use std::time::Duration;

use crate::broker::ConfigError;

/// Why topics are not there.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No broker answered.
    #[error(
        "no Kafka broker answered at {brokers} within {limit:?}{}: check that it runs, and that \
         KAFKA_BOOTSTRAP_SERVERS and the security settings are right", in_brackets(.reason)
    )]
    Unreachable {
        /// As they were named.
        brokers: String,
        /// [`Settings::connect_limit`](crate::broker::Settings::connect_limit).
        limit: Duration,
        /// What librdkafka complained about last.
        reason: Option<String>,
    },
    /// They do not exist, and the policy is not to create them.
    #[error("{} not exist at {brokers}: create them, or let Config::topics create what is missing", these(.topics))]
    Missing {
        /// Their names, all of them.
        topics: Vec<String>,
        /// Where they are missing.
        brokers: String,
    },
    /// No topic can have such a name.
    #[error("`{name}` cannot be a topic: 1 to 249 of A-Z, a-z, 0-9, `.`, `_` and `-`, and not `.` or `..`")]
    Name {
        /// The name.
        name: String,
    },
    /// The brokers refused to create, delete or show topics.
    #[error("the brokers at {brokers} refused to {action} {}", refused(.topics))]
    Refused {
        /// `create`, `delete` or `show`.
        action: &'static str,
        /// Each with the broker's reason.
        topics: Vec<(String, String)>,
        /// Which brokers.
        brokers: String,
    },
    /// They exist, but some partition has no leader.
    #[error(
        "topics {} still have a partition without a leader after {limit:?}: check the brokers that hold them",
        .topics.join(", ")
    )]
    NoLeader {
        /// Their names.
        topics: Vec<String>,
        /// How long was waited.
        limit: Duration,
    },
}

fn in_brackets(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
}

fn these(topics: &[String]) -> String {
    match topics {
        [topic] => format!("topic `{topic}` does"),
        topics => format!("topics `{}` do", topics.join("`, `")),
    }
}

fn refused(topics: &[(String, String)]) -> String {
    let each: Vec<String> = topics.iter().map(|(name, reason)| format!("`{name}` ({reason})")).collect();
    each.join(", ")
}
