//! Queueing a record with headers of any bytes.

use std::ffi::c_void;
use std::ptr;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use sys::rd_kafka_resp_err_t as Code;

use crate::produce::Outgoing;

/// Lets the partitioner choose.
const ANY_PARTITION: i32 = -1;

/// Queues a record without waiting, and hands `token` back in its delivery report. Key, value and headers are
/// copied. An error means that there will be no report.
pub fn produce<C>(
    producer: &BaseProducer<C>,
    record: &Outgoing<'_>,
    token: usize,
) -> Result<(), RDKafkaErrorCode>
where
    C: ProducerContext<DeliveryOpaque = usize>,
{
    let mut name = [0_u8; 250];
    let topic = record.topic.as_bytes();
    if topic.len() >= name.len() || topic.contains(&0) {
        return Err(RDKafkaErrorCode::InvalidTopic);
    }
    name[..topic.len()].copy_from_slice(topic);
    let part = |part: Option<&[u8]>| part.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()));
    let (value, value_len) = part(record.value);
    let (key, key_len) = part(record.key);
    // SAFETY: each tag is followed by the C types that librdkafka reads for it; the pointers are valid during the
    // call, which copies them (F_COPY), the name ends in a zero byte. The opaque is what the context's `usize`
    // is made of. On success the headers belong to the message, on an error they are still ours.
    let code = unsafe {
        let headers = native_headers(record);
        let code = sys::rd_kafka_producev(
            producer.client().native_ptr(),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TOPIC,
            name.as_ptr(),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_PARTITION,
            record.partition.unwrap_or(ANY_PARTITION),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_MSGFLAGS,
            sys::RD_KAFKA_MSG_F_COPY,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_VALUE,
            value,
            value_len,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_KEY,
            key,
            key_len,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_OPAQUE,
            token as *mut c_void,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TIMESTAMP,
            record.timestamp.unwrap_or(0),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS,
            headers,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_END,
        );
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR && !headers.is_null() {
            sys::rd_kafka_headers_destroy(headers);
        }
        code
    };
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}

/// The record's headers as a list of librdkafka's that the caller owns; null if there are none.
fn native_headers(record: &Outgoing<'_>) -> *mut sys::rd_kafka_headers_t {
    if record.headers.is_empty() {
        return ptr::null_mut();
    }
    // SAFETY: names and values are copied with the lengths given; a null value stays null.
    unsafe {
        let headers = sys::rd_kafka_headers_new(record.headers.len());
        for (name, value) in record.headers {
            let (value, len) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
            sys::rd_kafka_header_add(
                headers,
                name.as_ptr().cast(),
                name.len() as isize,
                value.cast(),
                len as isize,
            );
        }
        headers
    }
}
