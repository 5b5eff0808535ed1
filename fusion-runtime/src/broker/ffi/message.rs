//! Messages that own their C pointer, read in place.

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::Ordering;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use sys::rd_kafka_resp_err_t as Code;

use super::queue::Core;

/// A message as librdkafka fetched it, not copied: it pins the whole fetch buffer (up to a megabyte) that it came
/// in, so copy or decode what has to wait.
pub struct Message {
    pub(super) raw: NonNull<sys::rd_kafka_message_t>,
    pub(super) core: NonNull<Core>,
}

// SAFETY: librdkafka lets any thread read and destroy a message. It is not `Sync`: the first look at its headers
// parses them in place.
unsafe impl Send for Message {}

impl Message {
    fn raw(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the message is ours until drop.
        unsafe { self.raw.as_ref() }
    }

    /// What is wrong with the partition, if this is not a record but an event of its partition.
    pub fn error(&self) -> Option<MessageError> {
        MessageError::of(self.raw().err)
    }

    /// librdkafka's words for [`error`](Message::error).
    pub fn error_text(&self) -> String {
        let raw = self.raw();
        // SAFETY: an event's payload is its text, `len` bytes long.
        unsafe { bytes(raw.payload, raw.len) }
            .map_or_else(String::new, |text| String::from_utf8_lossy(text).into_owned())
    }

    /// The partition's number.
    pub fn partition(&self) -> i32 {
        self.raw().partition
    }

    /// The offset in the partition; at an end of partition the offset that the next record will get.
    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    /// The key's bytes. `None` is a missing key, which is not an empty one.
    pub fn key(&self) -> Option<&[u8]> {
        let raw = self.raw();
        // SAFETY: the key is `key_len` bytes inside the buffer that the message pins.
        unsafe { bytes(raw.key, raw.key_len) }
    }

    /// The value's bytes. `None` is a tombstone, which is not an empty value. An event has none.
    pub fn value(&self) -> Option<&[u8]> {
        let raw = self.raw();
        if raw.err != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the value is `len` bytes inside the buffer that the message pins.
        unsafe { bytes(raw.payload, raw.len) }
    }

    /// The bytes of key and value.
    pub fn byte_size(&self) -> usize {
        self.key().map_or(0, <[u8]>::len) + self.value().map_or(0, <[u8]>::len)
    }

    /// Milliseconds since 1970, as the producer or the broker set them; `None` in records of the oldest format.
    pub fn timestamp_millis(&self) -> Option<i64> {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is ours until drop.
        let millis = unsafe { sys::rd_kafka_message_timestamp(self.raw.as_ptr(), &mut kind) };
        (kind != sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE).then_some(millis)
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        let topic = self.raw().rkt;
        if topic.is_null() {
            return "";
        }
        // SAFETY: the message holds a reference to its topic, whose name ends in a zero byte and never changes.
        let name = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(topic)) };
        // Kafka's names are ASCII; anything else would not have been subscribed to.
        name.to_str().unwrap_or_default()
    }

    /// The headers. The first look parses them.
    pub fn headers(&self) -> NativeHeaders<'_> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is ours, on one thread (it is not `Sync`). Without headers, and if they cannot be
        // parsed, nothing is written.
        unsafe { sys::rd_kafka_message_headers(self.raw.as_ptr(), &mut headers) };
        NativeHeaders { raw: headers, message: PhantomData }
    }
}

impl Message {
    /// Gives the message back to librdkafka, without counting.
    ///
    /// # Safety
    /// It is called once, the message is not used again, and it is still counted as alive.
    pub(super) unsafe fn destroy(&self) {
        // SAFETY: destroyed once; the client is alive, because it is not closed while the message is counted.
        unsafe { sys::rd_kafka_message_destroy(self.raw.as_ptr()) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: a message is dropped once. Until the subtraction it is counted, so `core` is alive; after it,
        // `core` may be freed, so nothing follows.
        unsafe {
            self.destroy();
            self.core.as_ref().live.fetch_sub(1, Ordering::Release);
        }
    }
}

/// # Safety
/// `data` is null or points to `len` bytes that live as long as `'a`.
unsafe fn bytes<'a>(data: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!data.is_null()).then(|| unsafe { slice::from_raw_parts(data.cast(), len) })
}

/// Why a [`Message`] is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// Everything in the partition was read (`enable.partition.eof`). It comes once per end.
    EndOfPartition,
    /// The partition does not hold the offset that was asked for (any more), or none was given.
    OffsetOutOfRange,
    /// The topic or the partition does not exist (any more).
    UnknownTopic,
    /// The broker does not let this user read the topic.
    NotAuthorized,
    /// Anything else, in librdkafka's terms.
    Other(RDKafkaErrorCode),
}

impl MessageError {
    fn of(code: Code) -> Option<MessageError> {
        Some(match code {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => return None,
            Code::RD_KAFKA_RESP_ERR__PARTITION_EOF => MessageError::EndOfPartition,
            Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
            | Code::RD_KAFKA_RESP_ERR__NO_OFFSET
            | Code::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE => MessageError::OffsetOutOfRange,
            Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            | Code::RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART => MessageError::UnknownTopic,
            Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED => MessageError::NotAuthorized,
            other => MessageError::Other(other.into()),
        })
    }
}

/// The headers of a message, read in place.
#[derive(Clone, Copy)]
pub struct NativeHeaders<'a> {
    raw: *const sys::rd_kafka_headers_t,
    message: PhantomData<&'a Message>,
}

impl<'a> NativeHeaders<'a> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_null()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        // SAFETY: alive as long as the message.
        if self.raw.is_null() { 0 } else { unsafe { sys::rd_kafka_header_cnt(self.raw) } }
    }

    /// Name and value of a header, in the record's order. A null value is `None`. Of a name with a zero byte in
    /// it, only what is before that: librdkafka does not tell the length.
    pub fn get(&self, index: usize) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        if self.raw.is_null() {
            return None;
        }
        let (mut name, mut value, mut len) = (ptr::null::<c_char>(), ptr::null(), 0);
        // SAFETY: the headers are alive as long as the message; on success name and value point into them, the
        // name ending in a zero byte.
        unsafe {
            let code = sys::rd_kafka_header_get_all(self.raw, index, &mut name, &mut value, &mut len);
            (code == Code::RD_KAFKA_RESP_ERR_NO_ERROR)
                .then(|| (CStr::from_ptr(name).to_bytes(), bytes(value, len)))
        }
    }

    /// All of them, in the record's order.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        (0..).map_while(move |index| self.get(index))
    }
}

impl std::fmt::Debug for NativeHeaders<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        f.debug_map().entries(self.iter().map(|(name, value)| (text(name), value.map(text)))).finish()
    }
}
