//! What the owner needs of a client, and the one that has transactions.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext, PurgeConfig};

use super::super::Outgoing;
use super::GroupMetadata;
use crate::broker::config::{MESSAGE_TIMEOUT, TRANSACTION_TIMEOUT};
use crate::broker::ffi::transactions::{self as calls, CallError};
use crate::broker::ffi::{self, Committed, Offsets, WakeGuard};
use crate::broker::{Config, Errors, LogContext, context};

/// How often a wait looks after failed deliveries.
const SERVE_EVERY: Duration = Duration::from_millis(50);

/// One producer, and what is known beside it about the group's offsets. Every call may block up to its limit.
pub(super) trait Client {
    fn init(&mut self, limit: Duration) -> Result<(), CallError>;
    fn begin(&mut self) -> Result<(), CallError>;
    /// Queues a record of the batch with this index.
    fn produce(&mut self, record: &Outgoing<'_>, job: usize) -> Result<(), Code>;
    fn offsets(&mut self, offsets: Offsets, group: &GroupMetadata, limit: Duration) -> Result<(), CallError>;
    /// Waits until every record is confirmed or has failed, and says whether that is so.
    fn flush(&mut self, limit: Duration) -> bool;
    /// What has failed since the last time.
    fn failures(&mut self) -> Vec<Failure>;
    fn commit(&mut self, limit: Duration) -> Result<(), CallError>;
    fn abort(&mut self, limit: Duration) -> Result<(), CallError>;
    /// Ends this producer without waiting for what it holds, and makes another one under this id, whose transactions may
    /// take so long.
    fn renew(&mut self, id: &str, time: Duration) -> Result<(), String>;
    /// What the group has committed.
    fn committed(&mut self, places: &[(&str, i32)], limit: Duration) -> Result<Vec<Committed>, Code>;
    /// Takes in what librdkafka has to say.
    fn serve(&mut self);
}

/// A record that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The index of its batch.
    pub(super) job: usize,
    pub(super) code: Code,
    pub(super) topic: String,
}

/// Keeps what failed. Successes are not reported.
#[derive(Default)]
pub(super) struct Reports {
    failures: Mutex<Vec<Failure>>,
    errors: Errors,
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

    fn delivery(&self, report: &DeliveryResult<'_>, job: usize) {
        if let Err((error, record)) = report {
            let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
            let failure = Failure { job, code, topic: record.topic().to_owned() };
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        }
    }
}

/// A producer that reports failures only.
pub(super) struct Sender {
    /// Tells how many events wait. It goes before the client.
    events: WakeGuard,
    pub(super) client: Arc<BaseProducer<Reports>>,
}

impl Sender {
    pub(super) fn make(config: &Config, id: Option<&str>, time: Duration) -> Result<Sender, String> {
        let mut config = config.transactional_producer(id).map_err(|error| error.to_string())?;
        if time > TRANSACTION_TIMEOUT {
            let messages = time - (TRANSACTION_TIMEOUT - MESSAGE_TIMEOUT);
            config.set("message.timeout.ms", messages.as_millis().to_string());
            config.set("transaction.timeout.ms", time.as_millis().to_string());
        }
        let client: BaseProducer<Reports> =
            config.create_with_context(Reports::default()).map_err(|error| error.to_string())?;
        let client = Arc::new(client);
        let events = WakeGuard::for_producer(&client, thread::current());
        // This thread waits inside the calls.
        events.quiet(true);
        Ok(Sender { events, client })
    }

    pub(super) fn serve(&self) {
        while self.events.pending() > 0 {
            self.client.poll(Duration::ZERO);
        }
    }

    pub(super) fn flush(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let done = calls::flush(&self.client, left.min(SERVE_EVERY));
            self.serve();
            if done || left.is_zero() {
                return done;
            }
        }
    }

    pub(super) fn failures(&self) -> Vec<Failure> {
        let reports = self.client.context();
        std::mem::take(&mut *reports.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives up what it holds, so that its end need not wait.
    pub(super) fn end(self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
        self.serve();
    }
}

/// A client with transactions.
pub(super) struct Transactional {
    config: Config,
    group: String,
    sender: Option<Sender>,
    /// Asks for committed offsets without being a member: also when our member is gone, and its thread busy.
    reader: Option<Arc<BaseConsumer<LogContext>>>,
}

impl Transactional {
    pub(super) fn make(config: &Config, group: &str, id: &str) -> Result<Transactional, String> {
        let sender = Some(Sender::make(config, Some(id), TRANSACTION_TIMEOUT)?);
        Ok(Transactional { config: config.clone(), group: group.to_owned(), sender, reader: None })
    }

    fn sender(&self) -> Result<&Sender, CallError> {
        self.sender.as_ref().ok_or_else(|| CallError {
            code: Code::State,
            text: "there is no producer".into(),
            fatal: true,
            abortable: false,
            retriable: false,
        })
    }
}

impl Client for Transactional {
    fn init(&mut self, limit: Duration) -> Result<(), CallError> {
        let sender = self.sender()?;
        sender.serve();
        calls::init_transactions(&sender.client, limit)
    }

    fn begin(&mut self) -> Result<(), CallError> {
        calls::begin_transaction(&self.sender()?.client)
    }

    fn produce(&mut self, record: &Outgoing<'_>, job: usize) -> Result<(), Code> {
        ffi::produce(&self.sender().map_err(|error| error.code)?.client, record, job)
    }

    fn offsets(&mut self, offsets: Offsets, group: &GroupMetadata, limit: Duration) -> Result<(), CallError> {
        calls::send_offsets(&self.sender()?.client, &offsets, group, limit)
    }

    fn flush(&mut self, limit: Duration) -> bool {
        self.sender.as_ref().is_some_and(|sender| sender.flush(limit))
    }

    fn failures(&mut self) -> Vec<Failure> {
        self.sender.as_ref().map(Sender::failures).unwrap_or_default()
    }

    fn commit(&mut self, limit: Duration) -> Result<(), CallError> {
        calls::commit_transaction(&self.sender()?.client, limit)
    }

    fn abort(&mut self, limit: Duration) -> Result<(), CallError> {
        let sender = self.sender()?;
        sender.serve();
        // It throws queued records away and then waits for their reports, which only this thread takes in: so it must
        // come back soon and be called again.
        let limit = if sender.client.in_flight_count() > 0 { limit.min(SERVE_EVERY) } else { limit };
        calls::abort_transaction(&sender.client, limit)
    }

    fn renew(&mut self, id: &str, time: Duration) -> Result<(), String> {
        if let Some(old) = self.sender.take() {
            old.end();
        }
        self.sender = Some(Sender::make(&self.config, Some(id), time)?);
        Ok(())
    }

    fn committed(&mut self, places: &[(&str, i32)], limit: Duration) -> Result<Vec<Committed>, Code> {
        if self.reader.is_none() {
            let reader = self.config.assigned_consumer(&self.group).ok();
            let reader = reader.and_then(|config| config.create_with_context(LogContext::default()).ok());
            self.reader = reader.map(Arc::new);
        }
        let reader = self.reader.as_ref().ok_or(Code::Fail)?;
        ffi::committed(reader, places.iter().copied(), limit)
    }

    fn serve(&mut self) {
        if let Some(sender) = &self.sender {
            sender.serve();
        }
    }
}
