//! What an app tells about itself.

mod counters;

pub(crate) use counters::Counters;
pub use counters::{Count, Metrics};
