//! From a batch of records to commits.
//!
//! The [`owner`] thread reads batches and hands each partition's records to that partition's [`worker`], a task
//! that runs the reactor, [`acknowledge`]s every outcome and keeps the partition's [`progress`], which the owner
//! commits, or whoever commits the topic in transactions and has the reactor [`beside`] it. [`lanes`] say which records may run now. `progress` and `lanes` are plain data structures without
//! I/O.

mod acknowledge;
mod admit;
mod answers;
mod beside;
pub(crate) mod lanes;
pub(crate) mod metadata;
mod owner;
mod permits;
mod progress;
mod rebalance;
mod run;
mod runner;
mod service;
mod settlements;
mod shared;
mod worker;

pub use lanes::{Order, UnknownOrder};

pub(crate) use acknowledge::{content_type, pairs};
pub(crate) use beside::Beside;
pub(crate) use owner::{Consumer, GroupClient};
pub(crate) use progress::Snapshot;
pub(crate) use runner::{AnyReactor, Input, Ran, Seat, Started, Typed, hand_ins, read};
pub(crate) use service::{Service, Serving, Taken};
pub(crate) use shared::{Assignment, Core, Served};
