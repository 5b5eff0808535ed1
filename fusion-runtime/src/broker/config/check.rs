//! Mistakes that are found without connecting.

use std::time::Duration;

use rdkafka::config::ClientConfig;

use super::{Config, ConfigError, Delivery, GroupProtocol, Inner, Owned, TopicPolicy, properties};

/// The longest time between two commits of transactions.
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);

/// Finds mistakes without connecting.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    if config.bootstrap().trim().is_empty() {
        return Err(ConfigError::NoBrokers);
    }
    check_settings(config)?;
    check_names(config)?;
    let sides =
        [("consumer", config.group_properties("")), ("producer", config.producer_properties_in_force())];
    for (client, properties) in sides {
        for (name, value) in &properties {
            if value.contains('\0') {
                return Err(ConfigError::invalid(name, "a value cannot have a zero byte in it"));
            }
            if let Some(feature) = missing_feature(name, value) {
                let reason =
                    format!("{value} needs fusion's feature `{feature}`, which this build is without");
                return Err(ConfigError::invalid(name, &reason));
            }
        }
        let properties: ClientConfig = properties.into_iter().collect();
        properties.create_native_config().map_err(|error| ConfigError::client(client, &error))?;
    }
    Ok(())
}

fn check_settings(config: &Config) -> Result<(), ConfigError> {
    let wrong = |setting, reason: &str| Err(ConfigError::Setting { setting, reason: reason.to_owned() });
    let settings = config.settings();
    if settings.delivery == Delivery::ExactlyOnce {
        return wrong(
            "delivery",
            if config.is_embedded() {
                "the embedded broker's transactions mean nothing; use a real broker, or at least once"
            } else {
                "exactly once is not available yet; use at least once"
            },
        );
    }
    if settings.in_flight == 0 {
        return wrong("in_flight", "at least one record must be allowed");
    }
    if settings.commit_interval > LONGEST_INTERVAL {
        return wrong("commit_interval", "a transaction has to end within 10 seconds; leave it below 5");
    }
    if settings.slot.as_ref().is_some_and(|slot| slot.is_empty() || slot.contains('\0')) {
        return wrong("slot", "it names transactions and cannot be empty or have a zero byte in it");
    }
    if settings.connect_limit.is_zero() {
        return wrong("connect_limit", "zero leaves no time to reach a broker");
    }
    // librdkafka's own bounds of message.max.bytes, queued.max.messages.kbytes and queue.buffering.max.kbytes.
    let largest = settings.largest_value.saturating_add(settings.largest_headers);
    if largest > 900_000_000 {
        return wrong("largest_value", "with largest_headers it must stay below 900,000,000 bytes");
    }
    if settings.fetch_buffer > 2_097_151 * 1024 {
        return wrong("fetch_buffer", "it must stay below 2 GiB");
    }
    if settings.send_buffer > 2_097_151 * 1024 || settings.send_buffer < largest {
        return wrong(
            "send_buffer",
            "it must hold at least one of the largest records, and stay below 2 GiB",
        );
    }
    if let TopicPolicy::Create { partitions, replication } = settings.topics
        && [partitions, replication].into_iter().flatten().any(|count| count < 1)
    {
        return wrong("topics", "partitions and replication are at least 1; None is the broker's default");
    }
    if !(settings.backoff.factor >= 1.0 && settings.backoff.factor.is_finite()) {
        return wrong("backoff", "the factor must be at least 1");
    }
    let fixed_member = config.inner.both.contains_key("group.instance.id")
        || config.inner.consumer.contains_key("group.instance.id");
    if fixed_member && config.group_protocol_in_force() == GroupProtocol::Consumer {
        // After a kill -9 the new member dies with UNRELEASED_INSTANCE_ID.
        return wrong("group_protocol", "`Consumer` does not go with `group.instance.id`; use `Classic`");
    }
    Ok(())
}

fn check_names(config: &Config) -> Result<(), ConfigError> {
    let Inner { both, consumer, producer, .. } = &*config.inner;
    let names = || both.keys().chain(consumer.keys()).chain(producer.keys());
    let owned: Vec<Owned> = names()
        .filter_map(|name| Some(Owned { name: name.clone(), instead: properties::owned(name)? }))
        .collect();
    if !owned.is_empty() {
        return Err(ConfigError::Owned(owned));
    }
    match names().find(|name| !properties::is_known(name)) {
        Some(property) => Err(ConfigError::Unknown { property: property.clone() }),
        None => Ok(()),
    }
}

/// The feature that a setting needs and this build does not have. librdkafka would refuse it as well, but knows nothing
/// of our features.
fn missing_feature(name: &str, value: &str) -> Option<&'static str> {
    let value = value.to_ascii_lowercase();
    let tls = cfg!(any(feature = "tls", feature = "tls-vendored"));
    match name {
        "security.protocol" if value.ends_with("ssl") && !tls => Some("tls"),
        "sasl.mechanisms" | "sasl.mechanism" if value.starts_with("scram") && !tls => Some("tls"),
        "sasl.mechanisms" | "sasl.mechanism" if value == "gssapi" && !cfg!(feature = "gssapi") => {
            Some("gssapi")
        }
        _ => None,
    }
}
