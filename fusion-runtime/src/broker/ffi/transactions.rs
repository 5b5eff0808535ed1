//! The calls of a transaction, each with what librdkafka says about its error.

use std::ffi::CStr;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use sys::rd_kafka_resp_err_t as Code;

use super::{GroupMetadata, Offsets};

/// Why a call of a transaction failed, in librdkafka's words. What follows from it is decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code:?})")]
pub struct CallError {
    /// librdkafka's code.
    pub code: RDKafkaErrorCode,
    /// librdkafka's words.
    pub text: String,
    /// The producer cannot be used any more.
    pub fatal: bool,
    /// The transaction has to be aborted.
    pub abortable: bool,
    /// The same call may be made again.
    pub retriable: bool,
}

impl CallError {
    /// Takes over the error that a call returned, if it is one.
    fn check(raw: *mut sys::rd_kafka_error_t) -> Result<(), CallError> {
        if raw.is_null() {
            return Ok(());
        }
        // SAFETY: the error is ours until it is destroyed, which is the last that happens to it; its text ends in a zero
        // byte.
        let error = unsafe {
            let error = CallError {
                code: sys::rd_kafka_error_code(raw).into(),
                text: CStr::from_ptr(sys::rd_kafka_error_string(raw)).to_string_lossy().into_owned(),
                fatal: sys::rd_kafka_error_is_fatal(raw) != 0,
                abortable: sys::rd_kafka_error_txn_requires_abort(raw) != 0,
                retriable: sys::rd_kafka_error_is_retriable(raw) != 0,
            };
            sys::rd_kafka_error_destroy(raw);
            error
        };
        Err(error)
    }
}

/// Gets the producer's id and epoch, which fences every other producer of the same `transactional.id` and ends what it
/// left open. After a time-out the same call goes on with it.
pub fn init_transactions<C: ProducerContext>(
    producer: &BaseProducer<C>,
    limit: Duration,
) -> Result<(), CallError> {
    // SAFETY: the client is alive.
    CallError::check(unsafe {
        sys::rd_kafka_init_transactions(producer.client().native_ptr(), millis(limit))
    })
}

/// Opens a transaction; local, nothing is sent.
pub fn begin_transaction<C: ProducerContext>(producer: &BaseProducer<C>) -> Result<(), CallError> {
    // SAFETY: the client is alive.
    CallError::check(unsafe { sys::rd_kafka_begin_transaction(producer.client().native_ptr()) })
}

/// Adds offsets to the transaction, in the name of a group's member.
pub fn send_offsets<C: ProducerContext>(
    producer: &BaseProducer<C>,
    offsets: &Offsets,
    group: &GroupMetadata,
    limit: Duration,
) -> Result<(), CallError> {
    // SAFETY: client, list and metadata are alive, and the latter two are copied.
    CallError::check(unsafe {
        sys::rd_kafka_send_offsets_to_transaction(
            producer.client().native_ptr(),
            offsets.list().ptr(),
            group.as_ptr(),
            millis(limit),
        )
    })
}

/// Commits. All records must have been confirmed before: delivery reports are served nowhere in here.
pub fn commit_transaction<C: ProducerContext>(
    producer: &BaseProducer<C>,
    limit: Duration,
) -> Result<(), CallError> {
    // SAFETY: the client is alive.
    CallError::check(unsafe {
        sys::rd_kafka_commit_transaction(producer.client().native_ptr(), millis(limit))
    })
}

/// Aborts. No record may be in the producer's queues any more.
pub fn abort_transaction<C: ProducerContext>(
    producer: &BaseProducer<C>,
    limit: Duration,
) -> Result<(), CallError> {
    // SAFETY: the client is alive.
    CallError::check(unsafe {
        sys::rd_kafka_abort_transaction(producer.client().native_ptr(), millis(limit))
    })
}

/// Sends what lingers, and waits until nothing is on its way or `limit` is over; says whether nothing is. Failed records
/// stay until `poll` has reported them. Unlike rust-rdkafka's, it wakes up at the last confirmation even if only failures
/// are reported.
pub fn flush<C: ProducerContext>(producer: &BaseProducer<C>, limit: Duration) -> bool {
    // SAFETY: the client is alive.
    let code = unsafe { sys::rd_kafka_flush(producer.client().native_ptr(), millis(limit)) };
    code == Code::RD_KAFKA_RESP_ERR_NO_ERROR
}

fn millis(limit: Duration) -> i32 {
    i32::try_from(limit.as_millis()).unwrap_or(i32::MAX)
}
