//! Windows, end to end: several topics, one result per key and window.

#[path = "../common/mod.rs"]
mod common;

mod closing;
mod operations;
