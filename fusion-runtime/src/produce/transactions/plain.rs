//! In place of transactions where there are none: records first, then the offsets beside them. What fails in between is
//! done again, so records are written at least once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::Outgoing;
use super::GroupMetadata;
use super::client::{Client, Failure, Sender};
use super::decide::is_about_membership;
use crate::broker::Config;
use crate::broker::config::TRANSACTION_TIMEOUT;
use crate::broker::ffi::transactions::CallError;
use crate::broker::ffi::{self, Commits, Committed, Offsets};

/// A client without transactions. It commits in the name of the group's consumer, and keeps that alive.
pub(super) struct Plain<C: ConsumerContext + 'static> {
    config: Config,
    sender: Option<Sender>,
    commits: Commits,
    consumer: Arc<BaseConsumer<C>>,
    offsets: Offsets,
}

impl<C: ConsumerContext + 'static> Plain<C> {
    pub(super) fn make(config: &Config, consumer: &Arc<BaseConsumer<C>>) -> Result<Plain<C>, String> {
        Ok(Plain {
            config: config.clone(),
            sender: Some(Sender::make(config, None, TRANSACTION_TIMEOUT)?),
            commits: Commits::new(consumer),
            consumer: consumer.clone(),
            offsets: Offsets::new(),
        })
    }
}

impl<C: ConsumerContext + 'static> Client for Plain<C> {
    fn init(&mut self, _: Duration) -> Result<(), CallError> {
        Ok(())
    }

    fn begin(&mut self) -> Result<(), CallError> {
        Ok(())
    }

    fn produce(&mut self, record: &Outgoing<'_>, job: usize) -> Result<(), Code> {
        ffi::produce(&self.sender.as_ref().ok_or(Code::State)?.client, record, job)
    }

    fn offsets(&mut self, offsets: Offsets, _: &GroupMetadata, _: Duration) -> Result<(), CallError> {
        self.offsets = offsets;
        Ok(())
    }

    fn flush(&mut self, limit: Duration) -> bool {
        self.sender.as_ref().is_some_and(|sender| sender.flush(limit))
    }

    fn failures(&mut self) -> Vec<Failure> {
        self.sender.as_ref().map(Sender::failures).unwrap_or_default()
    }

    fn commit(&mut self, limit: Duration) -> Result<(), CallError> {
        let until = Instant::now() + limit;
        self.commits.send_offsets(&self.offsets).map_err(said)?;
        // Those of earlier commits that came too late are not of interest.
        let mut last = Err(Code::OperationTimedOut);
        while self.commits.pending() > 0 {
            match self.commits.outcome(until.saturating_duration_since(Instant::now())) {
                Some(outcome) => last = outcome,
                None => return Err(said(Code::OperationTimedOut)),
            }
        }
        last.map_err(said)
    }

    fn abort(&mut self, _: Duration) -> Result<(), CallError> {
        Ok(())
    }

    fn renew(&mut self, _: &str, _: Duration) -> Result<(), String> {
        if let Some(old) = self.sender.take() {
            old.end();
        }
        self.sender = Some(Sender::make(&self.config, None, TRANSACTION_TIMEOUT)?);
        Ok(())
    }

    fn committed(&mut self, places: &[(&str, i32)], limit: Duration) -> Result<Vec<Committed>, Code> {
        ffi::committed(&self.consumer, places.iter().copied(), limit)
    }

    fn serve(&mut self) {
        if let Some(sender) = &self.sender {
            sender.serve();
        }
    }
}

/// A commit's error, as a transaction would say it.
fn said(code: Code) -> CallError {
    let abortable = is_about_membership(code) || code == Code::OffsetMetadataTooLarge;
    CallError { code, text: code.to_string(), fatal: false, abortable, retriable: !abortable }
}
