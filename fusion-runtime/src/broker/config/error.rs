//! What can be wrong with a configuration.

use rdkafka::error::KafkaError;

use super::properties;

/// What is wrong with a configuration. Values never appear in it, since they may be secrets.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// No brokers were named.
    #[error(
        "no Kafka brokers are named: set KAFKA_BOOTSTRAP_SERVERS to `host:port`, or several of them with commas \
         between, or use Config::from_env_or_embedded() for a broker inside the process"
    )]
    NoBrokers,
    /// Properties were set that the runtime decides on.
    #[error("{}", say_owned(.0))]
    Owned(Vec<Owned>),
    /// librdkafka does not know a property that was set in code.
    #[error(
        "librdkafka has no property `{property}`: see its CONFIGURATION.md for those it has, and write them with \
         dots, as in `security.protocol`"
    )]
    Unknown {
        /// Its name.
        property: String,
    },
    /// librdkafka does not take a property's value.
    #[error("property `{property}`: {reason}")]
    Invalid {
        /// Its name.
        property: String,
        /// Why, without the value where that may be a secret.
        reason: String,
    },
    /// A variable's value is not UTF-8.
    #[error("the value of {variable} is not UTF-8: correct it, or unset it")]
    NotText {
        /// The variable's name.
        variable: String,
    },
    /// One of our own settings is out of range, or does not go with another.
    #[error("{setting}: {reason}")]
    Setting {
        /// The method of [`Config`](super::Config).
        setting: &'static str,
        /// What it would have to be.
        reason: String,
    },
    /// A client could not be made.
    #[error("cannot make a Kafka {client}: {reason}")]
    Client {
        /// Which one.
        client: &'static str,
        /// librdkafka's words.
        reason: String,
    },
    /// The embedded broker did not start.
    #[error("the embedded broker did not start: {reason}")]
    Embedded {
        /// librdkafka's words.
        reason: String,
    },
}

/// A property that the runtime decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// As it was set: a variable's or a property's name.
    pub name: String,
    /// Who decides, or what to use in its place.
    pub instead: &'static str,
}

fn say_owned(owned: &[Owned]) -> String {
    let each: Vec<String> =
        owned.iter().map(|Owned { name, instead }| format!("`{name}` ({instead})")).collect();
    format!("these cannot be set, because the runtime depends on them: {}", each.join(", "))
}

impl ConfigError {
    /// What rust-rdkafka said when a client was made.
    pub(crate) fn client(client: &'static str, error: &KafkaError) -> ConfigError {
        match error {
            // Its own `Display` would print the value.
            KafkaError::ClientConfig(_, reason, property, _) => ConfigError::invalid(property, reason),
            KafkaError::ClientCreation(reason) => ConfigError::Client { client, reason: reason.clone() },
            other => ConfigError::Client {
                client,
                reason: other.rdkafka_error_code().map_or_else(
                    || "its configuration has a zero byte in it".to_owned(),
                    |code| code.to_string(),
                ),
            },
        }
    }

    pub(super) fn invalid(property: &str, reason: &str) -> ConfigError {
        let reason = match reason {
            unbuilt if unbuilt.contains("not available at build time") => {
                format!("{unbuilt}; build fusion with its feature `tls` (or `gssapi` for Kerberos)")
            }
            // The text may quote the value.
            _ if properties::is_secret(property) => "librdkafka does not take its value".to_owned(),
            reason => reason.to_owned(),
        };
        ConfigError::Invalid { property: property.to_owned(), reason }
    }
}
