//! Joining the group, and for `Start::Latest` finding out before what "the end" will mean.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::Consumer as _,
    error::{KafkaError, KafkaResult},
};

use crate::{Error, broker::Start};

use super::{COMMITTED_LIMIT, Owner, is_passing};

/// Where a partition begins that has no committed offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Beginning {
    /// How many partitions each topic had when its group began; a topic whose group had begun before is not in it.
    first: HashMap<String, i32>,
}

impl Beginning {
    /// `committed` are the topic's partitions, and whether the group has ever committed for each.
    fn note(&mut self, topic: &str, committed: &[bool]) {
        // The group begins where nothing is committed yet. Members that begin together all look before any of them
        // joins, and so before any of them commits.
        if !committed.contains(&true) {
            self.first.insert(topic.to_owned(), i32::try_from(committed.len()).unwrap_or(i32::MAX));
        }
    }

    /// Whether this partition begins at its end. One that appeared after the group began does not: its first records
    /// were written before any member heard of it.
    pub(super) fn is_end(&self, start: Start, topic: &str, partition: i32) -> bool {
        start == Start::Latest && self.first.get(topic).is_some_and(|&count| partition < count)
    }
}

impl Owner {
    /// Subscribes. Before that, for `Start::Latest`, it asks whether the group has been here before.
    pub(super) fn join(&mut self) -> Result<(), Error> {
        if self.joined || self.stopping.is_some() || Instant::now() < self.assign_at {
            return Ok(());
        }
        if self.start == Start::Latest {
            let limit = self.assign_limit;
            match self.look(limit) {
                Ok(beginning) => self.beginning = beginning,
                Err(error) if is_passing(&error) => {
                    self.assign_at = Instant::now() + Duration::from_millis(200);
                    self.assign_limit = (limit * 2).min(COMMITTED_LIMIT.1);
                    tracing::warn!(%error, group = &*self.core.app, "the broker does not say where the group stands yet");
                    return Ok(());
                }
                Err(error) => return Err(Error::client("consumer", error)),
            }
            self.assign_limit = COMMITTED_LIMIT.0;
        }
        let topics: Vec<&str> = self.services.keys().map(String::as_str).collect();
        self.client.subscribe(&topics).map_err(|error| Error::client("consumer", error))?;
        self.joined = true;
        Ok(())
    }

    fn look(&self, limit: Duration) -> KafkaResult<Beginning> {
        let mut list = TopicPartitionList::new();
        for topic in self.services.keys() {
            let metadata = self.client.fetch_metadata(Some(topic), limit)?;
            for found in metadata.topics() {
                if let Some(error) = found.error() {
                    return Err(KafkaError::MetadataFetch(error.into()));
                }
                found.partitions().iter().for_each(|partition| {
                    list.add_partition(topic, partition.id());
                });
            }
        }
        let mut committed: HashMap<String, Vec<bool>> = HashMap::new();
        for element in self.client.committed_offsets(list, limit)?.elements() {
            // Errors of single partitions hide inside `Ok`.
            element.error()?;
            let known = matches!(element.offset(), Offset::Offset(_));
            committed.entry(element.topic().to_owned()).or_default().push(known);
        }
        let mut beginning = Beginning::default();
        committed.iter().for_each(|(topic, committed)| beginning.note(topic, committed));
        Ok(beginning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_begins_has_the_end_of_what_is_there_and_the_beginning_of_what_comes() {
        let mut beginning = Beginning::default();
        beginning.note("new", &[false, false]);
        assert!(beginning.is_end(Start::Latest, "new", 0) && beginning.is_end(Start::Latest, "new", 1));
        assert!(!beginning.is_end(Start::Latest, "new", 2), "it was added later");
        assert!(!beginning.is_end(Start::Earliest, "new", 0));
    }

    #[test]
    fn a_group_that_goes_on_has_the_beginning_of_what_it_has_not_seen() {
        let mut beginning = Beginning::default();
        // Two partitions were added while nobody was there.
        beginning.note("old", &[true, true, false, false]);
        assert!(!beginning.is_end(Start::Latest, "old", 2) && !beginning.is_end(Start::Latest, "old", 3));
        // What began empty counts as begun, too.
        assert!(!beginning.is_end(Start::Latest, "never heard of", 0));
    }
}
