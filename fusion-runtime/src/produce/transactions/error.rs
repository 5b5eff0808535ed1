//! Why a batch cannot be committed.

use super::super::ProduceError;

/// Why a batch was not committed and will not be. Whatever passes by itself is repeated and never told; after one of
/// these, later batches of the same partitions are refused, or their commit would skip this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// Nothing would fence it.
    #[error("a batch without offsets cannot be committed: name every partition that it speaks for")]
    NoOffsets,
    /// A record cannot be written. Nothing of the batch was.
    #[error(transparent)]
    Record(#[from] ProduceError),
    /// The text beside an offset is longer than the brokers take.
    #[error(
        "the metadata for topic `{topic}`, partition {partition} has {size} bytes, and the brokers take {limit}: raise \
         `offset.metadata.max.bytes`"
    )]
    MetadataTooLarge {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// An earlier batch of one of its partitions was not committed.
    #[error("an earlier batch of topic `{topic}`, partition {partition} could not be committed")]
    Predecessor {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Somebody else uses our `transactional.id` again and again.
    #[error("another instance uses the transactional id `{id}` too: give each its own `Config::slot`")]
    Fenced {
        /// The id.
        id: String,
    },
    /// The brokers or librdkafka refuse to go on.
    #[error("the transactional producer `{id}` cannot go on: {reason}")]
    Fatal {
        /// The id.
        id: String,
        /// What was said.
        reason: String,
    },
    /// The time was over before it was known whether it is committed. Whoever reads the committed offset knows.
    #[error("the producer was closed before the batch was known to be committed")]
    Closed,
}
