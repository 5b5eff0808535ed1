//! Deleting the oldest records of partitions.

use rdkafka::{Offset, TopicPartitionList, admin::AdminClient};

use crate::broker::{Config, LogContext};

use super::{TopicError, admin, block_on, options};

/// Deletes records, on a real broker.
pub(crate) struct DeleteBelow(AdminClient<LogContext>);

/// A partition, and the offset below which nothing is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Below {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl DeleteBelow {
    pub(crate) fn connect(config: &Config) -> Result<Self, TopicError> {
        admin(config).map(DeleteBelow)
    }

    /// Deletes, and says for each whether it was done. Blocks for as long as the brokers take, at most 30 s.
    pub(crate) fn delete(&self, wanted: &[Below]) -> Vec<Result<(), String>> {
        let mut list = TopicPartitionList::new();
        for Below { topic, partition, offset } in wanted {
            if let Err(error) = list.add_partition_offset(topic, *partition, Offset::Offset(*offset)) {
                return vec![Err(error.to_string()); wanted.len()];
            }
        }
        let deleted = match block_on(self.0.delete_records(&list, &options())) {
            Ok(deleted) => deleted,
            Err(error) => return vec![Err(error.to_string()); wanted.len()],
        };
        let outcome = |below: &Below| match deleted.find_partition(&below.topic, below.partition) {
            Some(element) => element.error().map_err(|error| error.to_string()),
            None => Err("the brokers said nothing of it".to_owned()),
        };
        wanted.iter().map(outcome).collect()
    }
}
