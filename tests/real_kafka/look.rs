//! What the cluster says, asked beside fusion.

use std::time::Duration;

use fusion::Config;
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, ResourceSpecifier},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    topic_partition_list::TopicPartitionListElem,
};

use crate::common::{SOON, patiently};

/// A look at the cluster's topics and a group's offsets. Everything blocks.
pub struct Look {
    client: BaseConsumer,
    admin: AdminClient<DefaultClientContext>,
}

impl Look {
    /// On behalf of this group, which it does not join.
    pub fn new(config: &Config, group: &str) -> Look {
        let client = config.assigned_consumer(group).unwrap().create().unwrap();
        Look { client, admin: config.admin().unwrap().create().unwrap() }
    }

    /// How many partitions a topic has. A broker may not have heard of a new one yet, and brokers may not agree.
    pub fn partitions(&self, topic: &str) -> i32 {
        patiently(|| {
            let metadata = self.client.fetch_metadata(Some(topic), SOON)?;
            let count = metadata.topics()[0].partitions().len() as i32;
            if count == 0 {
                Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))
            } else {
                Ok(count)
            }
        })
    }

    fn watermarks(&self, topic: &str, partition: i32) -> (i64, i64) {
        patiently(|| self.client.fetch_watermarks(topic, partition, SOON))
    }

    /// The names of all topics that begin so.
    pub fn topics(&self, prefix: &str) -> Vec<String> {
        let metadata = self.client.fetch_metadata(None, SOON).unwrap();
        let names = metadata.topics().iter().map(|topic| topic.name().to_owned());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    /// The offset behind the last record of each partition.
    pub fn ends(&self, topic: &str) -> Vec<i64> {
        (0..self.partitions(topic)).map(|partition| self.watermarks(topic, partition).1).collect()
    }

    /// The offset of the first record of a partition.
    pub fn start(&self, topic: &str, partition: i32) -> i64 {
        self.watermarks(topic, partition).0
    }

    /// What the group committed for each partition.
    pub fn committed(&self, topic: &str) -> Vec<Option<i64>> {
        let offset = |element: TopicPartitionListElem<'_>| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        self.committed_list(topic).elements().into_iter().map(offset).collect()
    }

    /// The text that the group committed beside each partition's offset.
    pub fn beside(&self, topic: &str) -> Vec<String> {
        let committed = self.committed_list(topic);
        committed.elements().into_iter().map(|element| element.metadata().to_owned()).collect()
    }

    /// A broker that has just come back may not know yet of which groups it is the coordinator.
    fn committed_list(&self, topic: &str) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, self.partitions(topic) - 1);
        patiently(|| {
            let committed = self.client.committed_offsets(list.clone(), SOON)?;
            committed.elements().iter().try_for_each(TopicPartitionListElem::error)?;
            Ok::<_, KafkaError>(committed)
        })
    }

    /// Whether the group has committed all there is.
    pub fn is_done(&self, topic: &str) -> bool {
        let ends = self.ends(topic).into_iter().map(Some);
        self.committed(topic).into_iter().eq(ends)
    }

    /// A topic's own setting.
    pub async fn setting(&self, topic: &str, name: &str) -> String {
        let options = AdminOptions::new().request_timeout(Some(SOON));
        let described = self.admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
        let resource = described.unwrap().pop().unwrap().unwrap();
        resource.get(name).and_then(|entry| entry.value.clone()).unwrap()
    }

    /// Adds a partition to a topic, and says its number.
    pub async fn grow(&self, topic: &str) -> i32 {
        let count = self.partitions(topic);
        let more = NewPartitions::new(topic, count as usize + 1);
        self.admin.create_partitions([&more], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
        crate::common::eventually(SOON, || self.partitions(topic) == count + 1).await;
        count
    }

    /// Deletes what a partition holds below this offset.
    pub async fn delete_below(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        let options = AdminOptions::new().operation_timeout(Some(SOON));
        let deleted = self.admin.delete_records(&list, &options).await.unwrap();
        deleted.elements()[0].error().unwrap();
        let low = || self.watermarks(topic, partition).0;
        crate::common::eventually(Duration::from_secs(10), || low() == offset).await;
    }
}
