#![doc = include_str!("docs/crate.md")]

// What users write.

#[doc = include_str!("docs/contract.md")]
pub use fusion_macros::contract;
#[cfg(feature = "kafka")]
#[doc = include_str!("docs/deps.md")]
pub use fusion_macros::deps;
#[cfg(feature = "kafka")]
#[doc = include_str!("docs/reactor.md")]
pub use fusion_macros::reactor;
#[cfg(feature = "kafka")]
#[doc = include_str!("docs/reactors.md")]
pub use fusion_macros::reactors;

// What they start and hold.

#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    app::{App, Missed, Produced, Results, Running},
    observe::{Count, Metrics},
    pipeline::{Ask, Pipeline, Position, SendRecord},
    request::Replies,
    window::{
        HeldBack, HeldBackReason, LateReason, Skipped, WindowLog, WindowMetrics, WindowPartition, WindowTopic,
    },
};

// What handlers take and return.

#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    dag::{Answer, CallError, Caller, Sent},
    failure::Failure,
    reactor::{Context, HandIn, Key, Run, State},
    window::{Gather, Merge, Reason, Window},
};
pub use fusion_runtime::{
    failure::Code,
    record::{
        Headers, HeadersRef, HeadersRefIter, Record, RecordRef,
        codec::{CodecError, Format},
        headers::HeadersIter,
    },
};

// How it is set up, and what can be wrong with that.

#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    Error, Result,
    broker::{
        Backoff, Config, ConfigError, Delivery, EmbeddedKafka, GroupProtocol, OnGap, Settings, Start,
        TopicError, TopicPolicy,
    },
    produce::ProduceError,
};

// What the macros implement, for bounds.

pub use fusion_runtime::contract::{Answers, Contract, Envelope, KeyBytes, KeyError};
#[cfg(feature = "kafka")]
pub use fusion_runtime::{
    Order, UnknownOrder,
    reactor::{Produces, Reactor, ReactorSpec},
    window::{Emit, Kind, MaxOpen, WindowReactor, WindowSpec},
};

#[cfg(feature = "kafka")]
pub use fusion_runtime::testing;

// Nothing public takes or gives it.
#[cfg(feature = "kafka")]
#[doc(hidden)]
pub use fusion_runtime::failure::RetryPolicy;

/// The rules that the compiler checks, by the names that it calls them in its messages. Nothing here is written or
/// called by hand.
pub mod rules {
    pub use fusion_runtime::contract::{
        Arg, Asked, Conj, Cons, Declared, Enough, Fits, Least, List, Param, Parameter, Payload, Place,
        Readable, SameAsContract, SameReply, SentTo, Serializable, Spread, Takes, Topic, TopicId, Undeclared,
        Untyped, Wire,
    };
    #[cfg(feature = "kafka")]
    pub use fusion_runtime::{
        dag::{Each, FromOutcome, Iterable, Maybe, MaybeEach, One, ReadableReply, Slot, Taker},
        reactor::{
            ByTopic, ByWindow, Fails, HandIns, Has, Here, Listed, Provides, ReactorList, Sendable, Set,
            There, Writable,
        },
    };
}

#[doc(hidden)]
pub use fusion_runtime::__private;

#[cfg(all(doc, feature = "kafka"))]
pub mod manual;

/// What a service imports: `use fusion::prelude::*;`.
///
/// A crate of contracts, without the feature `kafka`, gets [`contract`](macro@crate::contract) and [`Headers`] of it.
pub mod prelude {
    #[cfg(feature = "kafka")]
    pub use crate::{
        Answer, App, CallError, Config, Context, Failure, Key, Pipeline, State, Window, deps, reactor,
        reactors,
    };
    pub use crate::{Headers, contract};
}

/// The code in the README compiles.
#[cfg(all(doctest, feature = "kafka"))]
#[doc = include_str!("../README.md")]
mod readme {}
