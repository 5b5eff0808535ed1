//! What `#[reactor]` makes of a handler, and what it hands in.

mod context;
mod hand_in;
mod list;

pub(crate) use context::TopicName;
pub use context::{Context, Key, State};
pub use hand_in::{Calls, HandIn, HandIns, Run, StateMap};
pub use list::{ByTopic, ByWindow, Has, Here, Listed, Provides, ReactorList, Set, There, Visitor, set};

use std::{future::Future, time::Duration};

use serde::{Deserializer, Serialize};

use crate::{
    consume::Order,
    contract::{Contract, Envelope, Link},
    failure::Failure,
};

/// A handler that serves a topic. `#[reactor]` implements it for the type beside the function; it is not written by
/// hand, and what is hidden of it may change.
///
/// ```
/// use fusion::{Reactor, prelude::*};
///
/// #[reactor(topic = "add", retry = 1)]
/// fn add(numbers: Vec<i64>) -> i64 {
///     numbers.iter().sum()
/// }
///
/// assert_eq!((add::SPEC.topic, add::SPEC.retry), ("add", 1));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reactor",
    label = "not a reactor",
    note = "a reactor is a function with `#[reactor(topic = ..)]`",
    note = "to test a window, call its handler with what it would have gathered"
)]
pub trait Reactor: Produces + Send + Sync + 'static {
    /// The topic, its parameters and its answer.
    type Contract: Contract;
    /// The handler's payload parameters, as a tuple.
    #[doc(hidden)]
    type Payload: Send + 'static;
    /// The handler's other parameters, [`Caller`](crate::dag::Caller) for its graph included.
    #[doc(hidden)]
    type HandIns: HandIns;
    /// What the handler returns when all went well.
    type Value: Writable;
    /// The state it takes, as a list of types.
    #[doc(hidden)]
    type Needs;
    /// Everything else that the attribute says.
    const SPEC: ReactorSpec;

    /// Reads the payload. (Not a bound of `Payload`: rustc would blame the whole list of parameters for one of them.)
    ///
    /// # Errors
    /// When the value is something else.
    #[doc(hidden)]
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Payload, D::Error>;

    /// The payload of a handler that has none: then the value is not even looked at.
    #[doc(hidden)]
    fn ignored() -> Option<Self::Payload> {
        None
    }

    /// Runs graph and handler once.
    #[doc(hidden)]
    fn run(
        payload: Self::Payload,
        hand_ins: Self::HandIns,
    ) -> impl Future<Output = Result<Self::Value, Failure>> + Send + 'static;
}

/// What [`Running::results`](crate::app::Running::results) gives of a reactor. `#[reactor]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reactor",
    label = "not a reactor",
    note = "a reactor is a function with `#[reactor(topic = ..)]` or `#[reactor(window! ..)]`"
)]
pub trait Produces: 'static {
    /// The answer of one that serves a topic; what a window sends, which is `T` where its handler returns `Option<T>`.
    type Produced;
}

/// An error that fails a run, in our words.
#[diagnostic::on_unimplemented(
    message = "the error `{Self}` cannot become a `Failure`",
    label = "not `Display`",
    note = "implement `std::fmt::Display` for it, or `From<{Self}>` for `Failure`"
)]
pub trait Fails: Into<Failure> {}

#[diagnostic::do_not_recommend]
impl<E: Into<Failure>> Fails for E {}

/// What a handler that returns a `Result` returned.
///
/// # Errors
/// The handler's.
#[doc(hidden)]
pub fn outcome<T, E: Fails>(outcome: Result<T, E>) -> Result<T, Failure> {
    outcome.map_err(Into::into)
}

/// A value that can be answered, in our words.
#[diagnostic::on_unimplemented(
    message = "the answer `{Self}` cannot be written to a reply",
    label = "not `Serialize` and `Send`",
    note = "derive it: `#[derive(serde::Serialize)]`",
    note = "a `Result` behind an alias is to be written out, so that errors become error replies: `Result<T, E>`"
)]
// Not a subtrait of `Serialize`: rustc would ask for that first, in serde's words.
pub trait Writable: Send + 'static {
    /// What is written to the wire.
    type Written: Serialize;
    /// The value to write.
    fn written(&self) -> &Self::Written;
}

#[diagnostic::do_not_recommend]
impl<T: Sendable> Writable for T {
    type Written = T::Written;
    fn written(&self) -> &T::Written {
        self.sent()
    }
}

/// A window's result that can be sent, in our words.
#[diagnostic::on_unimplemented(
    message = "the result `{Self}` of a window cannot be written to a topic",
    label = "not `Serialize` and `Send`",
    note = "derive it: `#[derive(serde::Serialize)]`",
    note = "a `Result` behind an alias is to be written out, so that errors become dead letters: `Result<T, E>`"
)]
// What `Writable` asks for, and not a subtrait of it: rustc would ask for that first, in its words.
pub trait Sendable: Send + 'static {
    /// What is written to the wire.
    type Written: Serialize;
    /// The value to write.
    fn sent(&self) -> &Self::Written;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + Send + 'static> Sendable for T {
    type Written = T;
    fn sent(&self) -> &T {
        self
    }
}

/// What a `#[reactor]` attribute says: [`Reactor::SPEC`].
#[derive(Clone, Copy, Debug)]
pub struct ReactorSpec {
    /// How the reactor is called in internal topics, metrics and logs.
    pub name: &'static str,
    /// The topic it serves.
    pub topic: &'static str,
    /// The topics it asks.
    pub asks: &'static [&'static str],
    /// The topic that gets each success's value.
    pub to: Option<&'static str>,
    /// `None` is not sent to `to`.
    pub optional: bool,
    /// Bounds one run, graph included.
    pub within: Duration,
    /// Further attempts of a failed run.
    pub retry: u32,
    /// Which records wait for one another.
    pub order: Order,
    /// How many records are in flight at most.
    pub concurrency: usize,
    /// How requests to it travel.
    pub envelope: Envelope,
}

impl ReactorSpec {
    /// The defaults, for a reactor called `name` that serves `topic`.
    #[doc(hidden)]
    pub const fn new(name: &'static str, topic: &'static str) -> Self {
        ReactorSpec {
            name,
            topic,
            asks: &[],
            to: None,
            optional: false,
            within: Duration::from_secs(30),
            retry: 3,
            order: Order::Key,
            concurrency: 64,
            envelope: Envelope::Headers,
        }
    }

    /// What the check of a list of reactors looks at.
    #[doc(hidden)]
    pub const fn link(&self) -> Link {
        Link {
            name: self.name,
            topic: self.topic,
            gathers: &[],
            alone: false,
            asks: self.asks,
            to: self.to,
            late: None,
        }
    }
}
