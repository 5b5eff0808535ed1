//! What variables and properties mean, and that secrets stay hidden.

use super::*;

fn vars(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let brokers = ("KAFKA_BOOTSTRAP_SERVERS".to_owned(), "kafka:9092".to_owned());
    let rest = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_vars([brokers].into_iter().chain(rest))
}

#[test]
fn variables_become_properties() {
    let config = vars(&[
        ("KAFKA_SECURITY_PROTOCOL", "plaintext"),
        ("KAFKA_LOG_LEVEL", "3"),
        ("KAFKA_ACKS", "all"),
        ("KAFKA_CONSUMER_FETCH_MIN_BYTES", "7"),
        ("KAFKA_PRODUCER_QUEUE_BUFFERING_MAX_MS", "5"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.bootstrap(), "kafka:9092");
    assert!(config.ignored_variables().is_empty());
    let (consumer, producer) = (config.group_consumer("app").unwrap(), config.producer().unwrap());
    assert_eq!(consumer.get("security.protocol"), Some("plaintext"));
    assert_eq!(consumer.get("log_level"), Some("3"));
    assert_eq!(consumer.get("fetch.min.bytes"), Some("7"));
    assert_eq!(producer.get("fetch.min.bytes"), None);
    assert_eq!(producer.get("acks"), Some("all"));
    // Our own `linger.ms` has another name for the same thing: the variable replaces it.
    assert_eq!(producer.get("linger.ms"), Some("5"));
    assert_eq!(producer.get("queue.buffering.max.ms"), None);
}

#[test]
fn foreign_variables_are_ignored_and_named() {
    let foreign = [
        "KAFKA_HOME",
        "KAFKA_PORT",
        "KAFKA_PORT_9092_TCP_ADDR",
        "KAFKA_SERVICE_HOST",
        "KAFKA_ERROR_CB",
        "KAFKA_OPAQUE",
    ];
    let pairs: Vec<_> = foreign.iter().rev().map(|name| (*name, "x")).collect();
    let mut expected = foreign.to_vec();
    expected.sort_unstable();
    assert_eq!(vars(&pairs).unwrap().ignored_variables(), expected);
    assert_eq!(vars(&[("KAFKA_", "x")]).unwrap().ignored_variables(), ["KAFKA_"]);
}

#[test]
fn the_runtimes_own_properties_are_refused_all_at_once() {
    let error = vars(&[("KAFKA_GROUP_ID", "x"), ("KAFKA_CONSUMER_AUTO_OFFSET_RESET", "latest")]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`KAFKA_GROUP_ID` (the app's name is its group)"), "{text}");
    assert!(text.contains("`KAFKA_CONSUMER_AUTO_OFFSET_RESET` (use Config::start)"), "{text}");
    let error = Config::new("kafka:9092").producer_set("partitioner", "random").producer().unwrap_err();
    assert!(matches!(&error, ConfigError::Owned(owned) if owned[0].name == "partitioner"), "{error}");
    for (property, _) in [("enable.auto.commit", ""), ("isolation.level", ""), ("metadata.broker.list", "")] {
        assert!(Config::new("kafka:9092").set(property, "x").check().is_err(), "{property}");
    }
}

#[test]
fn brokers_must_be_named() {
    assert_eq!(Config::from_vars([]).unwrap_err(), ConfigError::NoBrokers);
    let blank = Config::from_vars([("KAFKA_BOOTSTRAP_SERVERS".to_owned(), " ".to_owned())]);
    assert_eq!(blank.unwrap_err(), ConfigError::NoBrokers);
}

#[test]
fn mistakes_in_code_are_found_before_a_client_is_made() {
    let unknown = Config::new("kafka:9092").set("security_protocol", "x").check().unwrap_err();
    assert_eq!(unknown, ConfigError::Unknown { property: "security_protocol".into() });
    let invalid = Config::new("kafka:9092").set("fetch.min.bytes", "many").check().unwrap_err();
    assert!(matches!(&invalid, ConfigError::Invalid { property, .. } if property == "fetch.min.bytes"));
    let zero = Config::new("kafka:9092").set("client.rack", "a\0b").check().unwrap_err();
    assert!(zero.to_string().contains("zero byte"), "{zero}");
    let static_member = Config::new("kafka:9092").consumer_set("group.instance.id", "one");
    static_member.check().unwrap();
    assert!(static_member.group_protocol(GroupProtocol::Consumer).check().is_err());
    let once = Config::new("kafka:9092").delivery(Delivery::ExactlyOnce).check().unwrap_err();
    assert!(once.to_string().starts_with("delivery: "), "{once}");
    let none = TopicPolicy::Create { partitions: Some(0), replication: None };
    assert!(Config::new("kafka:9092").topics(none).check().is_err());
    assert!(Config::new("kafka:9092").largest_value(usize::MAX).check().is_err());
    assert!(Config::new("kafka:9092").send_buffer(1024).check().is_err());
}

#[test]
fn a_build_without_tls_says_which_feature_is_missing() {
    if cfg!(any(feature = "tls", feature = "tls-vendored")) {
        return;
    }
    for (property, value) in [("security.protocol", "ssl"), ("ssl.key.password", "hunter2")] {
        let error = Config::new("kafka:9092").set(property, value).check().unwrap_err().to_string();
        assert!(error.contains("feature `tls`") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn secrets_are_hidden_everywhere() {
    let secrets = [
        ("sasl.username", "s3cret-user"),
        ("sasl.password", "s3cret-password"),
        ("sasl.oauthbearer.config", "s3cret-oauth"),
        ("sasl.oauthbearer.client.secret", "s3cret-client"),
        ("ssl.key.password", "s3cret-key"),
        ("ssl.key.pem", "s3cret-pem"),
        ("ssl.keystore.password", "s3cret-store"),
    ];
    let config = Config::new("kafka:9092").properties(secrets).consumer_set("client.rack", "shown");
    for text in [config.to_string(), format!("{config:?}"), format!("{config:#?}")] {
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("consumer sasl.password = (hidden)"), "{text}");
        assert!(text.contains("consumer client.rack = shown"), "{text}");
    }
    // librdkafka quotes a wrong value in its error text, rust-rdkafka adds it once more.
    for property in ["enable.sasl.oauthbearer.unsecure.jwt", "sasl.kerberos.min.time.before.relogin"] {
        let error = Config::new("kafka:9092").set(property, "s3cret").check().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    let zero = Config::new("kafka:9092").set("sasl.password", "s3cret\0").check().unwrap_err();
    assert!(!format!("{zero} {zero:?}").contains("s3cret"), "{zero}");
}

#[test]
fn every_setting_is_printed() {
    let text = Config::new("kafka:9092").hops(3).to_string();
    let settings = "brokers hops stop_limit connect_limit in_flight largest_value largest_headers fetch_buffer \
                    send_buffer topics delivery backoff group_protocol start";
    for setting in settings.split(' ').filter(|name| !name.is_empty()) {
        assert!(text.lines().any(|line| line.starts_with(&format!("{setting} = "))), "{setting} in\n{text}");
    }
    assert!(text.contains("hops = 3\n") && text.contains("brokers = kafka:9092\n"), "{text}");
    assert!(text.contains("producer enable.idempotence = true\n"), "{text}");
}

#[test]
fn clients_get_what_the_promises_depend_on() {
    let config = Config::new("kafka:9092").fetch_buffer(1_000_000);
    let consumer = config.group_consumer("app").unwrap();
    for (property, value) in [
        ("group.id", "app"),
        ("group.protocol", "classic"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        ("fetch.queue.backoff.ms", "10"),
        ("queued.max.messages.kbytes", "977"),
        ("socket.nagle.disable", "true"),
    ] {
        assert_eq!(consumer.get(property), Some(value), "{property}");
    }
    assert_eq!(consumer.get("fetch.wait.max.ms"), None);
    let producer = config.producer().unwrap();
    assert_eq!(producer.get("linger.ms"), Some("0"));
    assert_eq!(producer.get("sticky.partitioning.linger.ms"), Some("1"));
    assert_eq!(producer.get("partitioner"), Some("murmur2_random"));
    assert_eq!(producer.get("message.max.bytes"), Some("1048576"));
    let other = config.set("client.id", "billing").group_consumer("app").unwrap();
    assert!(other.get("client.id").unwrap().starts_with("billing-consumer-"));
    assert_ne!(other.get("client.id"), consumer.get("client.id"));
}

#[test]
fn the_new_protocol_leaves_out_what_librdkafka_refuses_with_it() {
    use rdkafka::consumer::BaseConsumer;
    let config = Config::embedded().unwrap();
    let consumer = config.group_consumer("app").unwrap();
    assert_eq!(consumer.get("group.protocol"), Some("consumer"));
    assert_eq!(consumer.get("fetch.wait.max.ms"), Some("5"));
    consumer.create::<BaseConsumer>().unwrap();
    let replies = config.consumer_set("group.remote.assignor", "range").assigned_consumer("app").unwrap();
    assert_eq!(replies.get("group.protocol"), Some("classic"));
    replies.create::<BaseConsumer>().unwrap();
}

#[cfg(not(any(feature = "tls", feature = "tls-vendored", feature = "gssapi")))]
#[test]
fn a_setting_that_needs_a_feature_names_it() {
    for (property, value, feature) in [
        ("security.protocol", "SASL_SSL", "`tls`"),
        ("security.protocol", "ssl", "`tls`"),
        ("sasl.mechanism", "SCRAM-SHA-512", "`tls`"),
        ("sasl.mechanism", "GSSAPI", "`gssapi`"),
    ] {
        let error = Config::new("localhost:9092").set(property, value).check().unwrap_err().to_string();
        assert!(error.contains(property) && error.contains(feature), "{error}");
    }
    let plain = Config::new("localhost:9092").set("security.protocol", "sasl_plaintext");
    assert_eq!(plain.set("sasl.mechanisms", "PLAIN").check().map_err(|error| error.to_string()), Ok(()));
}
