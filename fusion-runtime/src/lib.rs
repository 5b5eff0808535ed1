//! The runtime of fusion. Use it through the `fusion` crate, which re-exports what users need.

pub mod contract;
pub mod failure;
pub mod record;

#[cfg(feature = "kafka")]
pub mod broker;
#[cfg(feature = "kafka")]
mod consume;
#[cfg(feature = "kafka")]
pub mod dag;
#[cfg(feature = "kafka")]
pub mod produce;
#[cfg(feature = "kafka")]
pub mod reactor;

#[cfg(feature = "kafka")]
pub use consume::{Order, UnknownOrder};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
