//! The macros of fusion. Use them through the `fusion` crate, which documents them.

// Until the expansion calls them, only tests use the phases.
#[allow(dead_code)]
mod deps;
#[allow(dead_code)]
mod duration;
#[allow(dead_code)]
mod report;
#[allow(dead_code)]
mod topic;
