//! The macros of fusion. Use them through the `fusion` crate, which documents them.

mod deps;
mod duration;
mod report;
mod topic;
