//! The runtime of fusion. Use it through the `fusion` crate, which re-exports what users need and has the manual.
//!
//! What is public here and not there is for the macros, for tests and for benches, and changes without notice.

pub mod contract;
pub mod failure;
pub mod record;

#[cfg(feature = "kafka")]
pub mod app;
#[cfg(feature = "kafka")]
pub mod broker;
#[cfg(feature = "kafka")]
mod clock;
#[cfg(feature = "kafka")]
mod consume;
#[cfg(feature = "kafka")]
pub mod dag;
#[cfg(feature = "kafka")]
mod error;
#[cfg(feature = "kafka")]
pub mod observe;
#[cfg(feature = "kafka")]
pub mod pipeline;
#[cfg(feature = "kafka")]
pub mod produce;
#[cfg(feature = "kafka")]
pub mod reactor;
#[cfg(feature = "kafka")]
pub mod request;
#[cfg(feature = "kafka")]
pub mod testing;
#[cfg(feature = "kafka")]
pub mod window;

#[cfg(feature = "kafka")]
pub use consume::{Order, UnknownOrder};
#[cfg(feature = "kafka")]
pub use error::{Error, Result};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
