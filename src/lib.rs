//! Reactors over Kafka: a handler says on itself which topic it serves and which requests must be answered first.

pub use fusion_runtime::contract::{Answers, Contract, Envelope, KeyBytes, KeyError};
pub use fusion_runtime::failure::Code;
pub use fusion_runtime::record::{Headers, Record, RecordRef};

pub use fusion_runtime::record::codec::Format;
#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    Error, Order, Result,
    app::{App, Missed, Produced, Results, Running},
    broker::{
        Backoff, Config, ConfigError, Delivery, EmbeddedKafka, GroupProtocol, Settings, Start, TopicError,
        TopicPolicy,
    },
    dag::{Answer, CallError, Sent},
    failure::{Failure, RetryPolicy},
    observe::{Count, Metrics},
    pipeline::{Ask, Pipeline, Position},
    produce::ProduceError,
    reactor::{Context, HandIn, Key, Reactor, ReactorSpec, Run, State},
    request::Replies,
};

pub use fusion_macros::contract;
#[cfg(feature = "kafka")]
pub use fusion_macros::{deps, reactor, reactors};

#[doc(hidden)]
pub use fusion_runtime::__private;

/// What a service imports: `use fusion::prelude::*;`.
pub mod prelude {
    #[cfg(feature = "kafka")]
    pub use crate::{
        Answer, App, CallError, Config, Context, Failure, Key, Pipeline, State, deps, reactor, reactors,
    };
    pub use crate::{Headers, contract};
}
