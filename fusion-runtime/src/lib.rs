//! The runtime of fusion. Use it through the `fusion` crate, which re-exports what users need.

pub mod contract;
pub mod record;

#[cfg(feature = "kafka")]
pub mod broker;
#[cfg(feature = "kafka")]
mod consume;
#[cfg(feature = "kafka")]
pub mod produce;
