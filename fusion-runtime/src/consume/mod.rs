//! From a batch of records to commits: which records may run now, and how far a partition has come.
//!
//! [`progress`] and [`lanes`] are plain data structures without I/O; the owner thread's loop drives them.

// Until the loop that drives them is here.
#![allow(dead_code)]

pub(crate) mod lanes;
pub(crate) mod progress;

pub use lanes::{Order, UnknownOrder};
