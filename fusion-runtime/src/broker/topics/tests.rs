//! Topics that are there, are not, or cannot be asked for.

use std::net::TcpListener;
use std::sync::Arc;

use rdkafka::types::RDKafkaRespErr;

use super::*;

const REQUIRE: TopicPolicy = TopicPolicy::Require;

fn create(partitions: Option<i32>) -> TopicPolicy {
    TopicPolicy::Create { partitions, replication: None }
}

fn named(name: &str, partitions: i32) -> TopicInfo {
    TopicInfo { name: name.into(), partitions }
}

#[test]
fn missing_topics_are_created_and_existing_ones_left_alone() {
    let config = Config::embedded().unwrap();
    config.embedded_broker().unwrap().create_topic("old", 7).unwrap();
    let wanted = [
        TopicSpec::named("new"),
        TopicSpec { partitions: Some(2), ..TopicSpec::named("two") },
        TopicSpec { partitions: Some(1), ..TopicSpec::named("old") },
    ];
    let expected = [named("new", 3), named("two", 2), named("old", 7)];
    assert_eq!(ensure(&config, &wanted, create(Some(3))).unwrap(), expected);
    assert_eq!(ensure(&config, &wanted, REQUIRE).unwrap(), expected);
    assert_eq!(ensure(&config, &[], REQUIRE).unwrap(), []);
    let default = ensure(&config, &[TopicSpec::named("default")], create(None)).unwrap();
    assert_eq!(default, [named("default", EmbeddedKafka::PARTITIONS)]);
}

#[test]
fn many_topics_are_created_together() {
    let config = Config::embedded().unwrap();
    let wanted: Vec<TopicSpec> = (0..100).map(|n| TopicSpec::named(format!("t{n}"))).collect();
    let made = ensure(&config, &wanted, create(Some(1))).unwrap();
    assert!(made.iter().zip(&wanted).all(|(made, wanted)| made.name == wanted.name && made.partitions == 1));
}

#[test]
fn all_required_topics_that_are_missing_are_named() {
    let config = Config::embedded().unwrap();
    config.embedded_broker().unwrap().create_topic("there", 1).unwrap();
    let wanted = ["b", "there", "a"].map(TopicSpec::named);
    // Twice: the question itself must not create them.
    for _ in 0..2 {
        let error = ensure(&config, &wanted, REQUIRE).unwrap_err();
        let text = error.to_string();
        assert!(matches!(&error, TopicError::Missing { topics, .. } if topics == &["a", "b"]), "{text}");
        assert!(text.contains("topics `a`, `b` do not exist at 127.0.0.1:"), "{text}");
    }
}

#[test]
fn a_partition_without_a_leader_is_waited_for() {
    let config = Config::embedded().unwrap();
    let broker = config.embedded_broker().unwrap().clone();
    broker.create_topic("slow", 2).unwrap();
    broker.partition_leader("slow", 1, None).unwrap();
    let theirs = config.clone();
    let waiting = std::thread::spawn(move || ensure(&theirs, &[TopicSpec::named("slow")], REQUIRE));
    while !waiting.is_finished() {
        broker.partition_leader("slow", 1, Some(1)).unwrap();
        std::thread::yield_now();
    }
    assert_eq!(waiting.join().unwrap().unwrap(), [named("slow", 2)]);
}

#[test]
fn impossible_names_and_refusals_are_told() {
    let config = Config::embedded().unwrap();
    for name in ["", "a b", "..", &"x".repeat(250)] {
        let error = ensure(&config, &[TopicSpec::named(name)], create(None)).unwrap_err();
        assert!(matches!(error, TopicError::Name { .. }), "{error}");
    }
    let broker = config.embedded_broker().unwrap();
    broker.create_topic("closed", 1).unwrap();
    broker.topic_error("closed", RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    let error = ensure(&config, &[TopicSpec::named("closed")], REQUIRE).unwrap_err();
    assert!(error.to_string().contains("refused to show `closed`"), "{error}");
}

#[test]
fn an_absent_broker_is_named_within_the_limit() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let config = Config::new(&address).connect_limit(Duration::from_secs(1));
    let start = Instant::now();
    let error = ensure(&config, &[TopicSpec::named("any")], create(None)).unwrap_err();
    let text = error.to_string();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(text.contains(&format!("no Kafka broker answered at {address} within 1s (")), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}

#[test]
fn a_broker_that_is_down_for_a_moment_is_waited_for() {
    let broker = Arc::new(EmbeddedKafka::start().unwrap());
    broker.create_topic("here", 1).unwrap();
    broker.broker_down().unwrap();
    let config = Config::with_embedded(broker.clone());
    let theirs = config.clone();
    let waiting = std::thread::spawn(move || ensure(&theirs, &[TopicSpec::named("here")], REQUIRE));
    broker.broker_up().unwrap();
    assert_eq!(waiting.join().unwrap().unwrap(), [named("here", 1)]);
}

#[test]
fn another_process_creates_what_a_producer_would() {
    let broker = EmbeddedKafka::start().unwrap();
    let config = Config::embedded_at(broker.bootstrap_servers());
    let spec = |name: &str, partitions| TopicSpec { partitions, ..TopicSpec::named(name) };
    let wanted = [spec("said", Some(EmbeddedKafka::PARTITIONS)), spec("unsaid", None)];
    let counts = ["said", "unsaid"].map(|name| named(name, EmbeddedKafka::PARTITIONS));
    assert_eq!(ensure(&config, &wanted, create(None)).unwrap(), counts);
    let error = ensure(&config, &[spec("seven", Some(7))], create(None)).unwrap_err();
    assert!(error.to_string().contains("only the process with the broker"), "{error}");
}

#[test]
fn the_embedded_broker_keeps_what_is_deleted() {
    let config = Config::embedded().unwrap();
    config.embedded_broker().unwrap().create_topic("kept", 1).unwrap();
    delete(&config, &["kept", "unknown"]).unwrap();
    ensure(&config, &[TopicSpec::named("kept")], REQUIRE).unwrap();
}
