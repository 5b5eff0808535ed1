//! What is written to a topic from now on.

use std::{thread, time::Duration};

use fusion::Config;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::sync::{mpsc, oneshot};

use super::{Record, SOON, create, patiently, within};

/// Everything that is written to a topic from the moment it was made. It belongs to no group.
pub struct Tail {
    topic: String,
    records: mpsc::UnboundedReceiver<Record>,
}

impl Tail {
    /// Reads all partitions from their end on. The topic is created, with four partitions, when there is none.
    pub async fn at_end(config: &Config, topic: &str) -> Tail {
        Tail::open(config, topic, false).await
    }

    /// Reads all partitions from their beginning on.
    pub async fn at_start(config: &Config, topic: &str) -> Tail {
        Tail::open(config, topic, true).await
    }

    async fn open(config: &Config, topic: &str, start: bool) -> Tail {
        create(config, &[topic], 4).await;
        let (send, records) = mpsc::unbounded_channel();
        let (tell, ready) = oneshot::channel();
        let (config, name) = (config.clone(), topic.to_owned());
        thread::spawn(move || {
            let client: BaseConsumer = config.assigned_consumer("tail").unwrap().create().unwrap();
            let metadata = client.fetch_metadata(Some(&name), SOON).unwrap();
            let mut partitions = TopicPartitionList::new();
            for partition in metadata.topics()[0].partitions() {
                let (low, high) = watermarks(&client, &name, partition.id());
                let from = Offset::Offset(if start { low } else { high });
                partitions.add_partition_offset(&name, partition.id(), from).unwrap();
            }
            client.assign(&partitions).unwrap();
            let _ = tell.send(());
            while !send.is_closed() {
                match client.poll(Duration::from_millis(20)) {
                    Some(Ok(message)) => drop(send.send(Record::read(&message))),
                    Some(Err(error)) => eprintln!("reading `{name}`: {error}"),
                    None => {}
                }
            }
        });
        ready.await.unwrap();
        Tail { topic: topic.to_owned(), records }
    }

    /// The next record, or `None` when there is none within this time.
    pub async fn next(&mut self, within: Duration) -> Option<Record> {
        tokio::time::timeout(within, self.records.recv()).await.ok().flatten()
    }

    /// The next record, which must come.
    #[track_caller]
    pub fn one(&mut self) -> impl Future<Output = Record> {
        let next = within(SOON, self.records.recv());
        async move { next.await.expect("the tail goes on") }
    }

    /// So many records, which must come.
    pub async fn take(&mut self, count: usize) -> Vec<Record> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            match self.next(SOON).await {
                Some(record) => taken.push(record),
                None => panic!("only {} of {count} records in `{}`: {taken:?}", taken.len(), self.topic),
            }
        }
        taken
    }

    /// What has been read so far and not been taken.
    pub fn rest(&mut self) -> Vec<Record> {
        std::iter::from_fn(|| self.records.try_recv().ok()).collect()
    }
}

/// The leader of a new partition may not know yet that it is.
fn watermarks(client: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    patiently(|| client.fetch_watermarks(topic, partition, SOON))
}
