//! What is committed as one: records, and the offsets behind the work that made them.

use std::ops::Range;

use super::super::{Header, Outgoing, ProduceError, Sizes};
use super::{CommitMetadata, GroupMetadata};

/// The number of an assignment: each time a partition is given to this member, it has a higher one.
pub type Epoch = u64;

/// A stretch of finished work: all records that it wrote, in order, and the offsets behind it, all under one
/// [`GroupMetadata`].
///
/// It is won or lost as one. So make one per partition, or one for the partitions that always move together; the owner
/// thread puts what waits into one transaction.
///
/// ```
/// use fusion_runtime::produce::Outgoing;
/// use fusion_runtime::produce::transactions::{Batch, CommitMetadata, GroupMetadata};
///
/// # let group = GroupMetadata::named("orders", 1, "member").unwrap();
/// let mut batch = Batch::new(group);
/// batch.push(&Outgoing { key: Some(b"42"), value: Some(b"9.5"), ..Outgoing::to("totals") });
/// let epoch = 1;
/// batch.commit("orders", 0, epoch, CommitMetadata::new(1500));
/// assert_eq!(batch.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    group: GroupMetadata,
    offsets: Vec<Entry>,
    topics: Vec<String>,
    records: Vec<Packed>,
    headers: Vec<PackedHeader>,
    /// Keys, values, and names and values of headers: one allocation for many records.
    bytes: Vec<u8>,
    most_headers: usize,
    /// Bytes of the largest key and value, and of the largest headers, each with its topic.
    largest: [(usize, usize); 2],
}

/// An offset that is committed with the records.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) epoch: Epoch,
    pub(super) metadata: CommitMetadata,
}

#[derive(Clone, Debug)]
struct Packed {
    topic: usize,
    partition: Option<i32>,
    timestamp: Option<i64>,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    headers: Range<usize>,
}

#[derive(Clone, Debug)]
struct PackedHeader {
    name: Range<usize>,
    value: Option<Range<usize>>,
}

impl Batch {
    /// Empty. Take the group's metadata under the epochs that the offsets will name.
    pub fn new(group: GroupMetadata) -> Batch {
        Batch {
            group,
            offsets: Vec::new(),
            topics: Vec::new(),
            records: Vec::new(),
            headers: Vec::new(),
            bytes: Vec::new(),
            most_headers: 0,
            largest: [(0, 0); 2],
        }
    }

    /// Adds a record behind the others. It is copied.
    pub fn push(&mut self, record: &Outgoing<'_>) {
        // Few topics, and most often the same as before.
        let topic = match self.topics.iter().rposition(|topic| topic == record.topic) {
            Some(topic) => topic,
            None => {
                self.topics.push(record.topic.to_owned());
                self.topics.len() - 1
            }
        };
        let before = self.bytes.len();
        let headers = self.headers.len()..self.headers.len() + record.headers.len();
        for (name, value) in record.headers {
            let header = PackedHeader { name: self.copy(name), value: value.map(|value| self.copy(value)) };
            self.headers.push(header);
        }
        self.most_headers = self.most_headers.max(record.headers.len());
        self.largest[1] = self.largest[1].max((self.bytes.len() - before, topic));
        let before = self.bytes.len();
        let packed = Packed {
            topic,
            partition: record.partition,
            timestamp: record.timestamp,
            key: record.key.map(|key| self.copy(key)),
            value: record.value.map(|value| self.copy(value)),
            headers,
        };
        self.largest[0] = self.largest[0].max((self.bytes.len() - before, topic));
        self.records.push(packed);
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Sets the offset that a partition is committed at (the metadata's own), under the epoch in which the work was done.
    /// Setting it again replaces it. Every partition that the records speak for needs one, also when it has not moved:
    /// without an offset, nothing fences them.
    ///
    /// A field `tx` of the metadata is ours: it tells this commit from all others.
    pub fn commit(&mut self, topic: &str, partition: i32, epoch: Epoch, metadata: CommitMetadata) {
        let known = |entry: &&mut Entry| entry.topic == topic && entry.partition == partition;
        match self.offsets.iter_mut().find(known) {
            Some(entry) => (entry.epoch, entry.metadata) = (epoch, metadata),
            None => self.offsets.push(Entry { topic: topic.to_owned(), partition, epoch, metadata }),
        }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record. Offsets alone are a batch too: time went on.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many bytes keys, values and headers have.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The group's metadata that it was made with.
    pub fn group(&self) -> &GroupMetadata {
        &self.group
    }

    /// Whether every record is as small as it has to be.
    pub(super) fn check_sizes(&self, sizes: Sizes) -> Result<(), ProduceError> {
        let [(value, of_value), (headers, of_headers)] = self.largest;
        let topic = |place: usize| self.topics.get(place).map_or("", String::as_str);
        sizes.check(topic(of_value), value, 0)?;
        sizes.check(topic(of_headers), 0, headers)
    }

    pub(super) fn offsets(&self) -> &[Entry] {
        &self.offsets
    }

    pub(super) fn offsets_mut(&mut self) -> &mut [Entry] {
        &mut self.offsets
    }

    /// Hands over each record in order, until one is refused.
    pub(crate) fn try_each<E>(&self, mut take: impl FnMut(&Outgoing<'_>) -> Result<(), E>) -> Result<(), E> {
        let bytes = |range: &Range<usize>| &self.bytes[range.clone()];
        let mut headers: Vec<Header<'_>> = Vec::with_capacity(self.most_headers);
        for record in &self.records {
            headers.clear();
            headers.extend(
                self.headers[record.headers.clone()]
                    .iter()
                    .map(|header| -> Header<'_> { (bytes(&header.name), header.value.as_ref().map(bytes)) }),
            );
            take(&Outgoing {
                topic: &self.topics[record.topic],
                partition: record.partition,
                key: record.key.as_ref().map(bytes),
                value: record.value.as_ref().map(bytes),
                timestamp: record.timestamp,
                headers: &headers,
            })?;
        }
        Ok(())
    }
}
