//! Offsets with the text beside them, written and read as bytes.
//!
//! rust-rdkafka's `metadata()`, `Debug` and `==` panic on bytes that are not UTF-8, and its `set_metadata` leaks. Any
//! other program may have committed any bytes, so its lists stay inside these types.

use std::ffi::{CStr, CString};
use std::fmt;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use sys::rd_kafka_resp_err_t as Code;

/// Offsets to commit, each with the bytes that stand beside it.
pub struct Offsets(TopicPartitionList);

impl Default for Offsets {
    fn default() -> Self {
        Offsets::new()
    }
}

impl Offsets {
    /// None yet.
    pub fn new() -> Offsets {
        Offsets(TopicPartitionList::new())
    }

    /// Adds an offset, or replaces that of the same partition: one commit cannot name it twice.
    ///
    /// # Errors
    /// `InvalidTopic` for a name with a zero byte.
    pub fn set(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        metadata: &[u8],
    ) -> Result<(), RDKafkaErrorCode> {
        let topic = CString::new(topic).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the list is ours alone. An element's metadata is memory of librdkafka's that the list frees; what was
        // there before is freed here.
        unsafe {
            let list = self.0.ptr();
            let mut element = sys::rd_kafka_topic_partition_list_find(list, topic.as_ptr(), partition);
            if element.is_null() {
                element = sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), partition);
            }
            let element = &mut *element;
            if !element.metadata.is_null() {
                sys::rd_kafka_mem_free(std::ptr::null_mut(), element.metadata);
                element.metadata = std::ptr::null_mut();
            }
            element.metadata_size = metadata.len();
            if !metadata.is_empty() {
                let copy = sys::rd_kafka_mem_malloc(std::ptr::null_mut(), metadata.len());
                std::ptr::copy_nonoverlapping(metadata.as_ptr(), copy.cast(), metadata.len());
                element.metadata = copy;
            }
            element.offset = offset;
        }
        Ok(())
    }

    /// How many partitions are named.
    pub fn len(&self) -> usize {
        self.0.count()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Topic, partition, offset and metadata of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, i64, &[u8])> {
        // SAFETY: the list lives as long as `self` and has `cnt` elements, which only `&mut self` changes.
        let elements = unsafe {
            let list = &*self.0.ptr();
            match usize::try_from(list.cnt).unwrap_or(0) {
                0 => &[][..],
                count => std::slice::from_raw_parts(list.elems.cast_const(), count),
            }
        };
        elements.iter().map(|element| {
            // SAFETY: names end in a zero byte, and were UTF-8 when they were set; metadata is as long as it says.
            let (topic, metadata) = unsafe {
                let metadata: &[u8] = match element.metadata.is_null() {
                    true => &[],
                    false => std::slice::from_raw_parts(
                        element.metadata.cast_const().cast(),
                        element.metadata_size,
                    ),
                };
                (CStr::from_ptr(element.topic).to_str().unwrap_or_default(), metadata)
            };
            (topic, element.partition, element.offset, metadata)
        })
    }

    /// What was said about each alone.
    fn errors(&self) -> impl Iterator<Item = Option<RDKafkaErrorCode>> {
        let none = Code::RD_KAFKA_RESP_ERR_NO_ERROR;
        (0..self.len()).map(move |index| {
            // SAFETY: the list lives as long as `self` and is longer than `index`.
            let code = unsafe { (*(*self.0.ptr()).elems.add(index)).err };
            (code != none).then(|| code.into())
        })
    }

    /// For calls that pass it on to librdkafka and look at nothing but offsets.
    pub(super) fn list(&self) -> &TopicPartitionList {
        &self.0
    }
}

/// Only how many: the list's own `Debug` panics on foreign bytes.
impl fmt::Debug for Offsets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Offsets").field("partitions", &self.len()).finish_non_exhaustive()
    }
}

/// What a group has committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset, if there is one.
    pub offset: Option<i64>,
    /// What stands beside it. Whoever committed wrote it: these are any bytes.
    pub metadata: Vec<u8>,
    /// What the broker said about this partition alone. librdkafka hides it inside an `Ok`.
    pub error: Option<RDKafkaErrorCode>,
}

/// Asks once what the consumer's group has committed. Blocks up to `limit`, so call it on an owner thread. Offsets of
/// transactions that have not ended are waited for (`isolation.level` is `read_committed`), up to `limit` too.
///
/// # Errors
/// librdkafka's code for the whole call; errors of single partitions are in [`Committed::error`].
pub fn committed<'a, C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: impl IntoIterator<Item = (&'a str, i32)>,
    limit: Duration,
) -> Result<Vec<Committed>, RDKafkaErrorCode> {
    let mut offsets = Offsets::new();
    for (topic, partition) in partitions {
        offsets.set(topic, partition, sys::RD_KAFKA_OFFSET_INVALID.into(), &[])?;
    }
    if offsets.is_empty() {
        return Ok(Vec::new());
    }
    let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: client and list are alive; the call writes offsets, errors and metadata into the list.
    let code =
        unsafe { sys::rd_kafka_committed(consumer.client().native_ptr(), offsets.list().ptr(), millis) };
    if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(code.into());
    }
    let read =
        offsets.iter().zip(offsets.errors()).map(|((topic, partition, offset, metadata), error)| Committed {
            topic: topic.to_owned(),
            partition,
            offset: Some(offset).filter(|offset| *offset >= 0),
            metadata: metadata.to_vec(),
            error,
        });
    Ok(read.collect())
}
/// The offset behind the last record of a partition, as the last answer to a fetch had it; `None` before the first one.
/// Asks nobody and does not wait.
pub fn known_end<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client and the name live through the call, which writes two numbers.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        sys::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high)
    };
    (code == Code::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}
