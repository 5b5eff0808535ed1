//! Records and offsets that are committed together, or not at all.
//!
//! [`Transactions`] is the handle of one producer per app, whose owner thread makes transactions of [`Batch`]es. A batch
//! is finished work: everything that was to be written for a stretch of a partition, and the offset behind it. Nothing
//! is open while a handler runs, and when a transaction fails the same bytes are sent again and no handler runs twice.
//!
//! How to use it, in the order of an app's life:
//!
//! 1. [`Transactions::start`], then [`ready`](Transactions::ready) **before** committed offsets are read: that ends what
//!    the last holder of our `transactional.id` left open.
//! 2. On the consumer's thread, take [`GroupMetadata`] and the epoch of the partition together and build a [`Batch`] per
//!    unit that is won or lost as one: a partition, or the partitions of one number. Push its records, set its offsets.
//!    [`submit`](Transactions::submit) it; batches of one partition in order, and few at once: they stay in memory.
//! 3. The [`Pending`] that comes back resolves to [`Outcome::Committed`], or to [`Outcome::Lost`] if the partition went
//!    to somebody else. An error means that the partition cannot go on: stop with it.
//! 4. On a revoke: stop submitting for it, [`hurry`](Transactions::hurry), and await the [`Pending`]s of its batches; when
//!    the time is over, or on a lost assignment, [`fence`](Transactions::fence) its epoch. Acknowledge when
//!    [`holds`](Transactions::holds) is false. Fence before new group metadata is taken.
//! 5. [`close`](Transactions::close), before the consumer closes.
//!
//! On the embedded broker, whose transactions mean nothing, the same handle writes at least once: the records are
//! flushed, then the offsets are committed beside them.

mod batch;
mod client;
mod decide;

mod error;
mod handle;
mod owner;
mod plain;
mod queue;
mod recover;
mod shared;
mod slot;
#[cfg(test)]
mod tests;
mod trouble;
mod turn;

pub use crate::broker::ffi::GroupMetadata;
pub use crate::consume::metadata::{CommitMetadata, MOST_BYTES, MetadataFault};
pub use batch::{Batch, Epoch};
pub use error::TransactionError;
pub use handle::{Outcome, Pending, Transactions};
