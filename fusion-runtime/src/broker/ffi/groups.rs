//! What a member of a group shows to have its offsets accepted.

use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

/// A consumer's group, member id and generation at one moment: with it, a transaction commits offsets in the consumer's
/// name, and is refused once the group has moved on. A clone is the same moment.
///
/// Brokers check member and generation, not who owns a partition. So take it on the consumer's own thread, **after**
/// everything that was lost has been fenced: taken later or elsewhere, it lets through what is not ours any more.
#[derive(Clone)]
pub struct GroupMetadata(Arc<Native>);

struct Native(NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: it is never changed after it was made, and any thread may free it.
unsafe impl Send for Native {}
// SAFETY: as above.
unsafe impl Sync for Native {}

impl Drop for Native {
    fn drop(&mut self) {
        // SAFETY: it is ours, and freed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) }
    }
}

impl GroupMetadata {
    /// As of now. `None` while the consumer is in no generation of its group: brokers then take a commit for that of a
    /// program without a group, and accept it unfenced.
    ///
    /// Waits for librdkafka's own thread, a few microseconds.
    pub fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<GroupMetadata> {
        // SAFETY: the client is alive; what comes back is ours.
        let raw = unsafe { sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        let metadata = GroupMetadata(Arc::new(Native(NonNull::new(raw)?)));
        (metadata.generation() >= 0 && !metadata.member().is_empty()).then_some(metadata)
    }

    /// As somebody else says it is, for tests. `None` if a name has a zero byte.
    #[doc(hidden)]
    pub fn named(group: &str, generation: i32, member: &str) -> Option<GroupMetadata> {
        let (group, member) = (CString::new(group).ok()?, CString::new(member).ok()?);
        // SAFETY: both names end in a zero byte and are copied; null is no instance id; what comes back is ours.
        let raw = unsafe {
            let (group, member) = (group.as_ptr(), member.as_ptr());
            sys::rd_kafka_consumer_group_metadata_new_with_genid(group, generation, member, ptr::null())
        };
        Some(GroupMetadata(Arc::new(Native(NonNull::new(raw)?))))
    }

    /// The group's name.
    pub fn group(&self) -> &str {
        // SAFETY: alive, and the text belongs to it.
        unsafe { text(sys::rd_kafka_consumer_group_metadata_group_id(self.as_ptr())) }
    }

    /// The member's id.
    pub fn member(&self) -> &str {
        // SAFETY: alive, and the text belongs to it.
        unsafe { text(sys::rd_kafka_consumer_group_metadata_member_id(self.as_ptr())) }
    }

    /// The generation, or the member's epoch with the `consumer` protocol.
    pub fn generation(&self) -> i32 {
        // SAFETY: alive.
        unsafe { sys::rd_kafka_consumer_group_metadata_generation_id(self.as_ptr()) }
    }

    pub(super) fn as_ptr(&self) -> *const sys::rd_kafka_consumer_group_metadata_t {
        self.0.0.as_ptr()
    }
}

/// A text of librdkafka's; empty if there is none, or if it is not UTF-8, which ids of brokers always are.
///
/// # Safety
/// `raw` is null, or ends in a zero byte and lives as long as the result.
unsafe fn text<'a>(raw: *const c_char) -> &'a str {
    if raw.is_null() {
        return "";
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(raw) }.to_str().unwrap_or_default()
}

impl PartialEq for GroupMetadata {
    fn eq(&self, other: &GroupMetadata) -> bool {
        (self.generation(), self.member(), self.group())
            == (other.generation(), other.member(), other.group())
    }
}

impl Eq for GroupMetadata {}

impl fmt::Debug for GroupMetadata {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("GroupMetadata")
            .field("group", &self.group())
            .field("member", &self.member())
            .field("generation", &self.generation())
            .finish()
    }
}
