//! Where the outcome of a record goes.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::ProduceError;

/// Where a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The partition's number.
    pub partition: i32,
    /// The record's offset in it.
    pub offset: i64,
    /// Milliseconds since 1970: the record's own time, or the broker's where the topic says so. The embedded
    /// broker does not tell.
    pub timestamp: Option<i64>,
}

/// Who is told what became of a record. It is told exactly once, unless `send` itself returned an error: then it
/// is dropped and never told.
pub enum Receipt {
    /// Nobody. A failure is logged.
    Ignore,
    /// A task that waits. It may stop waiting at any time.
    Tell(oneshot::Sender<Result<Delivered, ProduceError>>),
    /// Something that keeps count, and the number by which it knows the record.
    Settle(Arc<dyn Settle>, u64),
}

impl Receipt {
    /// Whether somebody waits for it; otherwise it may be told a few milliseconds later, together with others.
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Receipt::Ignore => false,
            Receipt::Tell(_) => true,
            Receipt::Settle(settle, _) => settle.is_urgent(),
        }
    }

    pub(super) fn settle(self, result: Result<Delivered, ProduceError>) {
        match self {
            Receipt::Ignore => {
                if let Err(error) = result {
                    tracing::warn!(%error, "a record was not delivered, and nobody waits for it");
                }
            }
            // Whoever does not wait any more does not need to know.
            Receipt::Tell(sender) => drop(sender.send(result)),
            Receipt::Settle(settle, token) => settle.settled(token, result),
        }
    }
}

/// Is told the outcomes of many records.
pub trait Settle: Send + Sync {
    /// Called once per record, on the producer's owner thread: it must not block, and every other outcome waits
    /// for it. It may send.
    fn settled(&self, token: u64, result: Result<Delivered, ProduceError>);

    /// Whether somebody waits for these outcomes. Others may be told a few milliseconds later, which saves a wake-up for
    /// each. It must not change while a record is on its way.
    fn is_urgent(&self) -> bool {
        false
    }
}
