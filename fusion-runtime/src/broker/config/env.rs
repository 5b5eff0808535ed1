//! Reading `KAFKA_*` variables.

use std::env;

use super::error::Owned;
use super::{Config, ConfigError, properties};
use crate::broker::EmbeddedKafka;

const BROKERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

impl Config {
    /// Reads the environment: `KAFKA_BOOTSTRAP_SERVERS` must be there, `KAFKA_SECURITY_PROTOCOL` and the like are
    /// librdkafka's properties (`security.protocol`), `KAFKA_CONSUMER_FETCH_MIN_BYTES` and
    /// `KAFKA_PRODUCER_LINGER_MS` those of one side.
    ///
    /// Variables that librdkafka does not know (`KAFKA_HOME`, Kubernetes' `KAFKA_PORT`) are ignored with one
    /// warning; those that the runtime decides on (`KAFKA_GROUP_ID`) are an error.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), fusion::ConfigError> {
    /// let config = fusion::Config::from_env()?;
    /// println!("{config}"); // all that is in force, without secrets
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::NoBrokers`], [`ConfigError::Owned`], [`ConfigError::Invalid`] and [`ConfigError::NotText`]. Nothing
    /// is connected yet.
    pub fn from_env() -> Result<Config, ConfigError> {
        let config = Config::from_vars(variables()?)?;
        if !config.ignored_variables().is_empty() {
            let ignored = config.ignored_variables().join(", ");
            tracing::warn!(%ignored, "librdkafka has no such properties, the variables are ignored");
        }
        Ok(config)
    }

    /// As [`from_env`](Config::from_env), but without `KAFKA_BOOTSTRAP_SERVERS` a broker starts inside this
    /// process, and a line on stderr says so. For examples and development.
    ///
    /// # Errors
    /// Those of [`from_env`](Config::from_env), and [`ConfigError::Embedded`].
    pub fn from_env_or_embedded() -> Result<Config, ConfigError> {
        let variables = variables()?;
        if variables.iter().any(|(name, _)| name == BROKERS) {
            return Config::from_env();
        }
        let config = Config::embedded()?;
        let mut line = format!(
            "KAFKA_BOOTSTRAP_SERVERS is not set, so a broker inside this process serves {}: nothing is kept when \
             the process ends, a partition holds its last {} MiB, and there are no transactions",
            config.bootstrap(),
            EmbeddedKafka::RETENTION_BYTES / (1024 * 1024),
        );
        let unused: Vec<&str> = variables
            .iter()
            .filter(|(name, _)| {
                strip(name).is_some_and(|(_, rest)| properties::from_variable(rest).is_some())
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if !unused.is_empty() {
            line += &format!("; not used: {}", unused.join(", "));
        }
        // Once for those who log, once for those who run an example without a subscriber.
        tracing::warn!("{line}");
        eprintln!("fusion: {line}");
        Ok(config)
    }

    /// [`from_env`](Config::from_env) with other variables than the process's own. What it ignores is in
    /// [`ignored_variables`](Config::ignored_variables).
    ///
    /// ```
    /// use fusion::Config;
    ///
    /// let variables = [("KAFKA_BOOTSTRAP_SERVERS", "kafka-1:9092"), ("KAFKA_CLIENT_RACK", "lisbon-a")];
    /// let config = Config::from_vars(variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
    /// assert!(config.to_string().contains("consumer client.rack = lisbon-a"));
    /// ```
    ///
    /// # Errors
    /// Those of [`from_env`](Config::from_env).
    pub fn from_vars(variables: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        let mut config = Config::new("");
        let inner = config.inner_mut();
        let mut owned = Vec::new();
        for (name, value) in variables {
            if name == BROKERS {
                value.trim().clone_into(&mut inner.bootstrap);
                continue;
            }
            let Some((side, rest)) = strip(&name) else { continue };
            let Some(property) = properties::from_variable(rest) else {
                inner.ignored.push(name);
                continue;
            };
            if let Some(instead) = properties::owned(&property) {
                owned.push(Owned { name, instead });
                continue;
            }
            let properties = match side {
                Side::Both => &mut inner.both,
                Side::Consumer => &mut inner.consumer,
                Side::Producer => &mut inner.producer,
            };
            properties.insert(properties::canonical(&property).to_owned(), value);
        }
        inner.ignored.sort();
        if !owned.is_empty() {
            owned.sort_by(|one, two| one.name.cmp(&two.name));
            return Err(ConfigError::Owned(owned));
        }
        config.check()?;
        Ok(config)
    }
}

#[derive(Clone, Copy)]
enum Side {
    Both,
    Consumer,
    Producer,
}

/// Whom a variable is for, and what follows its prefix.
fn strip(variable: &str) -> Option<(Side, &str)> {
    let rest = variable.strip_prefix("KAFKA_")?;
    let side = |prefix| rest.strip_prefix(prefix);
    Some(match (side("CONSUMER_"), side("PRODUCER_")) {
        (Some(rest), _) => (Side::Consumer, rest),
        (_, Some(rest)) => (Side::Producer, rest),
        _ => (Side::Both, rest),
    })
}

/// The process's own `KAFKA_*` variables. `env::vars` would panic at a foreign one that is not UTF-8.
fn variables() -> Result<Vec<(String, String)>, ConfigError> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("KAFKA_"))
        .map(|(variable, value)| match value.into_string() {
            Ok(value) => Ok((variable, value)),
            Err(_) => Err(ConfigError::NotText { variable }),
        })
        .collect()
}
