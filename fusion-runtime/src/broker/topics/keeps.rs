//! How long topics keep their records.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{ConfigResource, ResourceSpecifier},
    error::RDKafkaErrorCode as Code,
};

use crate::broker::Config;

use super::{MOST, READY_LIMIT, TopicError, admin, block_on, options};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a topic keeps its records, as its configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// `retention.ms`, in milliseconds; `None`: for ever.
    pub retention: Option<i64>,
    /// `retention.bytes` of a partition; `None`: however much.
    pub retention_bytes: Option<i64>,
    /// Whether its `cleanup.policy` has it compacted.
    pub compacted: bool,
    /// `min.compaction.lag.ms`: a record is not compacted away before, in milliseconds.
    pub compaction_lag: i64,
    /// `max.message.bytes`: the largest batch of records that it takes, if that is known.
    pub largest: Option<i64>,
}

/// Asks how long topics keep their records, in the order asked; `None` on the embedded broker, which says nothing.
///
/// Blocks for as long as the brokers take, at most 30 s.
///
/// # Errors
/// When the brokers refuse to tell.
pub fn keeps(config: &Config, names: &[&str]) -> Result<Option<Vec<Keeps>>, TopicError> {
    if config.is_embedded() {
        return Ok(None);
    }
    let admin = admin(config)?;
    let mut all = Vec::with_capacity(names.len());
    for names in names.chunks(MOST) {
        let wanted: Vec<_> = names.iter().map(|&name| ResourceSpecifier::Topic(name)).collect();
        let refused =
            |topics| TopicError::Refused { action: "show", topics, brokers: config.bootstrap().to_owned() };
        let until = Instant::now() + READY_LIMIT;
        let answers = loop {
            let answers = block_on(admin.describe_configs(&wanted, &options())).map_err(|error| {
                refused(names.iter().map(|name| ((*name).to_owned(), error.to_string())).collect())
            })?;
            // Of a topic that has just been created, not every broker has heard.
            let unheard = |answer: &Result<_, _>| matches!(answer, Err(Code::UnknownTopicOrPartition));
            if Instant::now() >= until || !answers.iter().any(unheard) {
                break answers;
            }
            thread::sleep(PAUSE);
        };
        for (name, answer) in names.iter().zip(answers) {
            let resource = answer.map_err(|code| refused(vec![((*name).to_owned(), code.to_string())]))?;
            all.push(read(&resource));
        }
    }
    Ok(Some(all))
}

fn read(resource: &ConfigResource) -> Keeps {
    let value = |name: &str| resource.get(name)?.value.as_deref();
    let number = |name: &str| value(name)?.parse::<i64>().ok();
    let policy = value("cleanup.policy").unwrap_or("delete");
    let policies = |wanted: &str| policy.split(',').any(|policy| policy.trim() == wanted);
    Keeps {
        // What is only compacted has no age.
        retention: number("retention.ms").filter(|millis| *millis >= 0 && policies("delete")),
        retention_bytes: number("retention.bytes").filter(|bytes| *bytes >= 0 && policies("delete")),
        compacted: policies("compact"),
        compaction_lag: number("min.compaction.lag.ms").unwrap_or(0),
        largest: number("max.message.bytes"),
    }
}
