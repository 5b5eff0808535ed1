//! What we know about librdkafka's properties: which exist, which are ours, which are secret.

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

const COMMITS: &str = "progress is committed by the runtime, after each outcome is acknowledged";
const BROKERS: &str = "the brokers are named once, in KAFKA_BOOTSTRAP_SERVERS or Config::new";

/// The properties the runtime decides on, and why or what to use in their place.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", BROKERS),
    ("metadata.broker.list", BROKERS),
    ("group.id", "the app's name is its group"),
    ("group.protocol", "use Config::group_protocol"),
    ("group.protocol.type", "consumers of other kinds do not understand our group"),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("offset.store.method", COMMITS),
    ("auto.offset.reset", "use Config::start"),
    ("isolation.level", "what was rolled back is never handled"),
    ("enable.partition.eof", "each consumer has it as it needs it"),
    ("partitioner", "a key must reach the same partition from every producer, so all use murmur2_random"),
    ("transactional.id", "the runtime names its transactions"),
    ("message.max.bytes", "use Config::largest_value"),
    ("queued.max.messages.kbytes", "use Config::fetch_buffer"),
    ("queue.buffering.max.kbytes", "use Config::send_buffer"),
    ("delivery.report.only.error", "every outcome has to be known"),
    ("log.queue", "the client's own thread reads its log"),
    ("test.mock.num.brokers", "use Config::embedded"),
    ("test.mock.broker.rtt", "use Config::embedded"),
];

/// Of two names for one property, the one we keep: otherwise it would be chance which of two values counts.
const ALIASES: &[(&str, &str)] = &[
    ("max.in.flight.requests.per.connection", "max.in.flight"),
    ("sasl.mechanisms", "sasl.mechanism"),
    ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.send.max.retries", "retries"),
    ("compression.codec", "compression.type"),
    ("request.required.acks", "acks"),
    ("delivery.timeout.ms", "message.timeout.ms"),
];

/// Why a property cannot be set, if the runtime decides on it.
pub(super) fn owned(property: &str) -> Option<&'static str> {
    OWNED.iter().find(|(name, _)| *name == property).map(|(_, instead)| *instead)
}

/// The name under which a property is kept.
pub(super) fn canonical(property: &str) -> &str {
    ALIASES.iter().find(|(other, _)| *other == property).map_or(property, |(_, kept)| kept)
}

/// Whether librdkafka has such a property, in this build or another.
pub(super) fn is_known(property: &str) -> bool {
    // Reading it back would not do: librdkafka then does not know properties without a default.
    let probe = ClientConfig::new().set(property, "").create_native_config();
    match probe {
        Ok(_) => true,
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) | KafkaError::Nul(_)) => {
            false
        }
        // Callbacks and other pointers: nothing that a text could set.
        Err(KafkaError::ClientConfig(_, reason, ..)) => !reason.contains("must be set through dedicated"),
        Err(_) => true,
    }
}

/// The property that a variable means, given what follows its prefix: `SECURITY_PROTOCOL`.
pub(super) fn from_variable(rest: &str) -> Option<String> {
    let lower = rest.to_ascii_lowercase();
    let dotted = lower.replace('_', ".");
    if rest.is_empty() || rest.bytes().any(|byte| byte.is_ascii_lowercase() || byte == b'.') {
        return None;
    }
    [dotted, lower].into_iter().find(|name| is_known(name))
}

/// Whether a property's value must not be shown. Rather too much than too little: librdkafka gets new properties.
pub(super) fn is_secret(property: &str) -> bool {
    if matches!(property, "sasl.mechanism" | "sasl.mechanisms" | "sasl.oauthbearer.method") {
        return false;
    }
    property.starts_with("sasl.")
        || ["password", "passphrase", "secret", "private", "oauth", "token", "credential", "ssl.key", ".pem"]
            .iter()
            .any(|part| property.contains(part))
}
