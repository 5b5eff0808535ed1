//! Topics that must exist before anybody subscribes or sends to them.
//!
//! A subscription to a topic that does not exist yet notices it minutes later, or never; so topics come first. All
//! calls here block for as long as the brokers take: keep them off tokio's workers, on a thread of their own or in
//! `spawn_blocking`.

mod delete_below;
mod error;
mod keeps;
mod observer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication, TopicResult};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use observer::Observer;

use super::{Config, ConfigError, EmbeddedKafka, LogContext, TopicPolicy};
pub(crate) use delete_below::{Below, DeleteBelow};
pub use error::TopicError;
pub use keeps::{Keeps, keeps};

/// A topic that must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions if it has to be created; `None`: as the policy or the broker says.
    pub partitions: Option<i32>,
    /// The topic's own configuration if it has to be created, as `cleanup.policy`. The embedded broker has none.
    pub config: Vec<(String, String)>,
}

impl TopicSpec {
    /// A topic about which nothing special is asked.
    pub fn named(name: impl Into<String>) -> TopicSpec {
        TopicSpec { name: name.into(), partitions: None, config: Vec::new() }
    }
}

/// A topic that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
}

/// Sees to it that these topics exist and that each of their partitions has a leader. Existing ones are left as they
/// are; what is missing is created or, if that is the policy, named in the error. Answers in the order asked.
///
/// Blocks, at most [`connect_limit`](super::Settings::connect_limit) until a broker answers and then 30 s for the
/// topics.
pub fn ensure(
    config: &Config,
    wanted: &[TopicSpec],
    policy: TopicPolicy,
) -> Result<Vec<TopicInfo>, TopicError> {
    if let Some(spec) = wanted.iter().find(|spec| !is_name(&spec.name)) {
        return Err(TopicError::Name { name: spec.name.clone() });
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&str> = wanted.iter().map(|spec| spec.name.as_str()).collect();
    let observer = Observer::connect(config)?;
    let mut found = observer.look(&names)?;
    let missing: BTreeMap<&str, &TopicSpec> = wanted
        .iter()
        .map(|spec| (spec.name.as_str(), spec))
        .filter(|(name, _)| !found.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        let TopicPolicy::Create { partitions, replication } = policy else {
            let topics = missing.into_keys().map(str::to_owned).collect();
            return Err(TopicError::Missing { topics, brokers: config.bootstrap().to_owned() });
        };
        let missing: Vec<&TopicSpec> = missing.into_values().collect();
        create(config, &missing, partitions, replication)?;
    }
    let deadline = Instant::now() + READY_LIMIT;
    let mut pause = Duration::from_millis(2);
    loop {
        let late: Vec<String> = names
            .iter()
            .filter(|name| !found.get(**name).is_some_and(|topic| topic.led))
            .map(|name| (*name).to_owned())
            .collect();
        if late.is_empty() {
            break;
        }
        if Instant::now() >= deadline {
            return Err(TopicError::NoLeader { topics: late, limit: READY_LIMIT });
        }
        // Brokers do not say when they have made up their minds: they have to be asked again.
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
        found = observer.look(&names)?;
    }
    let info = |spec: &TopicSpec| {
        let partitions = found.get(&spec.name).map_or(0, |topic| topic.partitions);
        TopicInfo { name: spec.name.clone(), partitions }
    };
    Ok(wanted.iter().map(info).collect())
}

/// How many partitions a topic has; `None` if there is no such topic.
///
/// Blocks until a broker answers, at most [`connect_limit`](super::Settings::connect_limit).
pub(crate) fn partitions(config: &Config, name: &str) -> Result<Option<i32>, TopicError> {
    let found = Observer::connect(config)?.look(&BTreeSet::from([name]))?;
    Ok(found.get(name).map(|topic| topic.partitions))
}

/// Deletes topics; those that do not exist are no error. The embedded broker cannot, and keeps them.
///
/// Blocks for as long as the brokers take, at most 30 s.
pub fn delete(config: &Config, names: &[&str]) -> Result<(), TopicError> {
    if config.is_embedded() || names.is_empty() {
        return Ok(());
    }
    let admin = admin(config)?;
    for names in names.chunks(MOST) {
        let results = block_on(admin.delete_topics(names, &options()));
        done(config, "delete", RDKafkaErrorCode::UnknownTopicOrPartition, names, results)?;
    }
    Ok(())
}

/// In one request; brokers refuse more.
const MOST: usize = 10_000;
/// How long brokers may take over topics, once they answer.
const READY_LIMIT: Duration = Duration::from_secs(30);
fn create(
    config: &Config,
    missing: &[&TopicSpec],
    partitions: Option<i32>,
    replication: Option<i32>,
) -> Result<(), TopicError> {
    if let Some(broker) = config.embedded_broker() {
        for spec in missing {
            let count = spec.partitions.or(partitions).unwrap_or(EmbeddedKafka::PARTITIONS);
            let results = match broker.create(&spec.name, count).map_err(|e| e.rdkafka_error_code()) {
                Ok(()) => Ok(vec![Ok(spec.name.clone())]),
                Err(code) => Ok(vec![Err((spec.name.clone(), code.unwrap_or(RDKafkaErrorCode::Fail)))]),
            };
            done(config, "create", RDKafkaErrorCode::TopicAlreadyExists, &[&spec.name], results)?;
        }
        return Ok(());
    }
    if config.is_embedded() {
        return create_elsewhere(config, missing, partitions);
    }
    let admin = admin(config)?;
    for specs in missing.chunks(MOST) {
        let topics: Vec<NewTopic<'_>> = specs
            .iter()
            .map(|spec| NewTopic {
                name: &spec.name,
                // -1 is the broker's default, for both.
                num_partitions: spec.partitions.or(partitions).unwrap_or(-1),
                replication: TopicReplication::Fixed(replication.unwrap_or(-1)),
                config: spec.config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            })
            .collect();
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let results = block_on(admin.create_topics(&topics, &options()));
        done(config, "create", RDKafkaErrorCode::TopicAlreadyExists, &names, results)?;
    }
    Ok(())
}

/// The embedded broker answers no request to create topics, but it creates what a producer asks about.
fn create_elsewhere(
    config: &Config,
    missing: &[&TopicSpec],
    partitions: Option<i32>,
) -> Result<(), TopicError> {
    let client = admin(config)?;
    for spec in missing {
        let count = spec.partitions.or(partitions).unwrap_or(EmbeddedKafka::PARTITIONS);
        let result = if count == EmbeddedKafka::PARTITIONS {
            let asked = client.inner().fetch_metadata(Some(&spec.name), READY_LIMIT);
            asked.map(drop).map_err(|error| error.to_string())
        } else {
            Err(format!("only the process with the broker can create it with {count} partitions"))
        };
        if let Err(reason) = result {
            let (topics, brokers) = (vec![(spec.name.clone(), reason)], config.bootstrap().to_owned());
            return Err(TopicError::Refused { action: "create", topics, brokers });
        }
    }
    Ok(())
}

fn admin(config: &Config) -> Result<AdminClient<LogContext>, TopicError> {
    let made = config.admin()?.create_with_context(LogContext::default());
    Ok(made.map_err(|error| ConfigError::client("admin client", &error))?)
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(READY_LIMIT)).operation_timeout(Some(READY_LIMIT))
}

/// Gathers what the brokers refused; `fine` is what somebody else did before us.
fn done(
    config: &Config,
    action: &'static str,
    fine: RDKafkaErrorCode,
    names: &[&str],
    results: KafkaResult<Vec<TopicResult>>,
) -> Result<(), TopicError> {
    let topics: Vec<(String, String)> = match results {
        Ok(results) => results
            .into_iter()
            .filter_map(Result::err)
            .filter(|(_, code)| *code != fine)
            .map(|(name, code)| (name, code.to_string()))
            .collect(),
        Err(error) => names.iter().map(|name| ((*name).to_owned(), error.to_string())).collect(),
    };
    if topics.is_empty() {
        return Ok(());
    }
    Err(TopicError::Refused { action, topics, brokers: config.bootstrap().to_owned() })
}

/// Kafka's rule for names.
fn is_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Waits for an admin call, whose answer comes from a thread of the client's own.
fn block_on<F: Future>(call: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut call = pin!(call);
    loop {
        if let Poll::Ready(done) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        thread::park();
    }
}
