//! An app: a name, a configuration, reactors, and their life from start to shutdown.

mod builder;
mod results;
mod running;
mod windows;

pub use builder::App;
pub use results::{Missed, Produced, Results};
pub use running::Running;
