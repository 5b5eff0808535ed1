//! Why a transaction failed.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::ProduceError;
use super::TransactionError;
use super::client::Failure;
use super::decide::{Delivery, Verdict, decide_delivery};

/// Why a transaction did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// As decided.
    #[error("{text}")]
    Failed { verdict: Verdict, code: Code, text: String },
    /// Some of its batches cannot be written.
    #[error("a record cannot be written")]
    Refused(Vec<(usize, TransactionError)>),
    /// A broker takes less text beside an offset.
    #[error("a broker takes less metadata")]
    MetadataTooLarge,
    /// Some of its batches are not ours any more.
    #[error("some of it is lost")]
    Lost,
}

impl Trouble {
    /// Whether the brokers did not take the records in time.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Trouble::Failed { code: Code::MessageTimedOut | Code::QueueFull, .. })
    }

    pub(super) fn doubt(code: Code, text: &str) -> Trouble {
        Trouble::Failed { verdict: Verdict::Doubt, code, text: text.to_owned() }
    }
}

/// What follows from all failed deliveries of a transaction: the gravest of them counts.
pub(super) fn check_deliveries(failures: Vec<Failure>) -> Result<(), Trouble> {
    let mut refused: Vec<(usize, TransactionError)> = Vec::new();
    let mut worst: Option<(Verdict, Code)> = None;
    for failure in failures {
        match decide_delivery(failure.code) {
            Delivery::Refuse => match refused.binary_search_by_key(&failure.job, |(job, _)| *job) {
                Ok(_) => {}
                Err(at) => {
                    let error = ProduceError::of(failure.code, &failure.topic).into();
                    refused.insert(at, (failure.job, error));
                }
            },
            Delivery::Again(verdict) => {
                let graver = verdict != Verdict::Abort;
                if worst.is_none() || graver {
                    worst = Some((verdict, failure.code));
                }
            }
        }
    }
    match worst {
        Some((verdict @ (Verdict::Doubt | Verdict::Fenced), code)) => {
            Err(Trouble::Failed { verdict, code, text: format!("records were not delivered: {code}") })
        }
        _ if !refused.is_empty() => Err(Trouble::Refused(refused)),
        Some((verdict, code)) => {
            Err(Trouble::Failed { verdict, code, text: format!("records were not delivered: {code}") })
        }
        None => Ok(()),
    }
}
