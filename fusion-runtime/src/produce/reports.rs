//! Delivery reports: which receipt each belongs to, and telling it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use slab::Slab;

use super::{Delivered, ProduceError, Receipt};
use crate::broker::{Errors, context};

/// Receipts of records in flight. librdkafka carries an index (plus one; zero is nobody) and not a pointer.
#[derive(Default)]
pub(super) struct Receipts {
    pub(super) kept: Mutex<Slab<Receipt>>,
    /// How many of them somebody waits for.
    urgent: AtomicUsize,
}

impl Receipts {
    pub(super) fn keep(&self, receipt: Receipt) -> usize {
        if receipt.is_urgent() {
            self.urgent.fetch_add(1, Ordering::SeqCst);
        }
        match receipt {
            Receipt::Ignore => 0,
            receipt => lock(&self.kept).insert(receipt) + 1,
        }
    }

    pub(super) fn take(&self, token: usize) -> Receipt {
        let index = token.checked_sub(1);
        let receipt = index.and_then(|index| lock(&self.kept).try_remove(index)).unwrap_or(Receipt::Ignore);
        if receipt.is_urgent() {
            self.urgent.fetch_sub(1, Ordering::SeqCst);
        }
        receipt
    }

    pub(super) fn any_urgent(&self) -> bool {
        self.urgent.load(Ordering::SeqCst) > 0
    }
}

/// A receiver's panic must not end the thread on which everybody else's receipts are told.
pub(super) fn settle(receipt: Receipt, result: Result<Delivered, ProduceError>) {
    if catch_unwind(AssertUnwindSafe(|| receipt.settle(result))).is_err() {
        tracing::error!("a receipt panicked while it was told the outcome of a record");
    }
}

pub(super) struct Reports {
    pub(super) receipts: Arc<Receipts>,
    pub(super) embedded: bool,
    /// Whether a purge is the producer's end, or only this client's.
    pub(super) closing: AtomicBool,
    pub(super) errors: Errors,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.report(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, token: usize) {
        let result = match report {
            Ok(record) => Ok(Delivered {
                partition: record.partition(),
                offset: record.offset(),
                // The embedded broker always answers 1234.
                timestamp: record.timestamp().to_millis().filter(|_| !self.embedded),
            }),
            Err((error, record)) => {
                let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
                let purged = matches!(code, Code::PurgeQueue | Code::PurgeInflight);
                if purged && !self.closing.load(Ordering::Relaxed) {
                    Err(ProduceError::replaced(code, record.topic()))
                } else {
                    Err(ProduceError::of(code, record.topic()))
                }
            }
        };
        settle(self.receipts.take(token), result);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
