//! Reactors over Kafka: a handler says on itself which topic it serves and which requests must be answered first.

pub use fusion_runtime::contract::{Answers, Contract, Envelope, KeyBytes, KeyError};
pub use fusion_runtime::failure::Code;
pub use fusion_runtime::record::{Headers, Record, RecordRef};

#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    Order,
    dag::{Answer, CallError, Sent},
    failure::{Failure, RetryPolicy},
    reactor::{Context, HandIn, Key, Reactor, ReactorSpec, Run, State},
};

pub use fusion_macros::contract;
#[cfg(feature = "kafka")]
pub use fusion_macros::{deps, reactor, reactors};

#[doc(hidden)]
pub use fusion_runtime::__private;

/// What a service imports: `use fusion::prelude::*;`.
pub mod prelude {
    #[cfg(feature = "kafka")]
    pub use crate::{Answer, CallError, Context, Failure, Key, State, deps, reactor, reactors};
    pub use crate::{Headers, contract};
}
