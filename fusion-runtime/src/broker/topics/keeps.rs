//! How long topics keep their records.

use rdkafka::admin::{ConfigResource, ResourceSpecifier};

use crate::broker::Config;

use super::{MOST, TopicError, admin, block_on, options};

/// How long a topic keeps its records, as its configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// `retention.ms`, in milliseconds; `None`: for ever.
    pub retention: Option<i64>,
    /// Whether its `cleanup.policy` has it compacted.
    pub compacted: bool,
    /// `min.compaction.lag.ms`: a record is not compacted away before, in milliseconds.
    pub compaction_lag: i64,
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
        let answers = block_on(admin.describe_configs(&wanted, &options())).map_err(|error| {
            refused(names.iter().map(|name| ((*name).to_owned(), error.to_string())).collect())
        })?;
        for (name, answer) in names.iter().zip(answers) {
            let resource = answer.map_err(|code| refused(vec![((*name).to_owned(), code.to_string())]))?;
            all.push(read(&resource));
        }
    }
    Ok(Some(all))
}

fn read(resource: &ConfigResource) -> Keeps {
    let value = |name: &str| resource.get(name)?.value.as_deref();
    let millis = |name: &str| value(name)?.parse::<i64>().ok();
    let policy = value("cleanup.policy").unwrap_or("delete");
    let policies = |wanted: &str| policy.split(',').any(|policy| policy.trim() == wanted);
    Keeps {
        // What is only compacted has no age.
        retention: millis("retention.ms").filter(|millis| *millis >= 0 && policies("delete")),
        compacted: policies("compact"),
        compaction_lag: millis("min.compaction.lag.ms").unwrap_or(0),
    }
}
