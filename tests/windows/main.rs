//! Windows, end to end: several topics, one result per key and window.

#![allow(unreachable_pub, reason = "the modules of one program")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../real_kafka/look.rs"]
#[allow(dead_code, unreachable_pub, reason = "this program uses a part of it")]
mod look;

mod again;
mod asking;
mod changed;
mod closing;
mod copartitioned;
mod drains;
mod formats;
mod gaps;
mod gathered;
mod intake;
mod kinds;
mod late;
mod noise;
mod operations;
mod panics;
mod refused;
mod restart;
mod results;
mod served;
mod sizes;
mod story;
mod updates;
