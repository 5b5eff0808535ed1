//! Asking which topics there are.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use super::TopicError;
use crate::broker::{Config, ConfigError, LogContext};

/// Up to so many topics each is asked for by name, beyond it all of the cluster's in one request.
const FEW: usize = 32;

/// Asks which topics there are. It is a consumer without a group, because a producer's question creates the topic.
pub(super) struct Observer<'a> {
    config: &'a Config,
    client: BaseConsumer<LogContext>,
}

/// What is known about a topic that exists.
pub(super) struct Found {
    pub(super) partitions: i32,
    /// Whether each partition has a leader.
    pub(super) led: bool,
}

impl<'a> Observer<'a> {
    pub(super) fn connect(config: &'a Config) -> Result<Observer<'a>, TopicError> {
        let client = config.observer()?.create_with_context(LogContext::default());
        let client = client.map_err(|error| ConfigError::client("consumer", &error))?;
        Ok(Observer { config, client })
    }

    pub(super) fn look(&self, names: &BTreeSet<&str>) -> Result<BTreeMap<String, Found>, TopicError> {
        let few = names.len() <= FEW;
        let answers = if few {
            names.iter().map(|name| self.ask(Some(name))).collect::<Result<Vec<_>, _>>()?
        } else {
            vec![self.ask(None)?]
        };
        let mut found = BTreeMap::new();
        for topic in answers.iter().flat_map(Metadata::topics).filter(|topic| names.contains(topic.name())) {
            use RDKafkaErrorCode as Code;
            match topic.error().map(Code::from) {
                None | Some(Code::LeaderNotAvailable) => {}
                Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => continue,
                Some(code) => {
                    return Err(TopicError::Refused {
                        action: "show",
                        topics: vec![(topic.name().to_owned(), code.to_string())],
                        brokers: self.config.bootstrap().to_owned(),
                    });
                }
            }
            let partitions = topic.partitions();
            let led = !partitions.is_empty() && partitions.iter().all(|partition| partition.leader() >= 0);
            let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
            found.insert(topic.name().to_owned(), Found { partitions: count, led });
        }
        Ok(found)
    }

    fn ask(&self, topic: Option<&str>) -> Result<Metadata, TopicError> {
        let limit = self.config.settings().connect_limit;
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(metadata) = self.client.client().fetch_metadata(topic, left) {
                return Ok(metadata);
            }
            // A connection that broke in between is worth another try, but not at full speed.
            thread::sleep(Duration::from_millis(10).min(left));
            if Instant::now() >= deadline {
                // Only polling brings the client's complaints to its context; a handful may wait.
                for _ in 0..32 {
                    let _ = self.client.poll(Duration::ZERO);
                }
                let brokers = self.config.bootstrap().to_owned();
                let reason = self.client.context().last_error();
                return Err(TopicError::Unreachable { brokers, limit, reason });
            }
        }
    }
}
