//! What the compiler checks: topics typed by their name, parameters, arguments.
//!
//! A topic's name becomes a 128-bit constant, and a declaration is an implementation of [`Declared`]
//! for the [`TopicId`] of that constant. Wherever `deps!` names a topic, it asks for that implementation:
//! rustc finds the contract, its parameters and its reply, or says that there is none.
//!
//! Nothing in here needs librdkafka, so a crate that only declares contracts stays small.

mod alias;
mod args;
mod argument;
mod ascribed;
mod circle;
mod fits;
mod key;
mod params;
mod payload;
mod same;
mod sent;
mod topic;

pub use alias::{Is, Plain, refuse};
pub use args::Args;
pub use argument::Arg;
pub use ascribed::{Ascribed, AscribedDeclared, AscribedUndeclared, Undeclared};
pub use circle::{Link, check_reactors};
pub use fits::{Conj, Cons, Fits};
pub use key::{KeyBytes, KeyError};
pub use params::{Asked, Enough, Least, List, Of, Param, Serializable, Spread, Takes, Untyped, Wire};
pub use payload::{
    Payload, Readable, read_0, read_1, read_2, read_3, read_4, read_5, read_6, read_7, read_8, read_9,
    read_10, read_11, read_12,
};
pub use same::{Parameter, SameAsContract, same_count, same_parameter, same_reply};
pub use sent::SentTo;
pub use topic::{Place, SameReply, Topic, takes, topic};

/// A topic's name as a type: the macros compute the constant from the name.
#[derive(Debug)]
pub struct TopicId<const ID: u128>;

/// What a topic takes and what it answers.
///
/// `#[reactor]` and `#[contract]` implement it for a type of the function's name; it is not written by hand.
///
/// ```
/// use fusion::prelude::*;
///
/// #[contract(topic = "add")]
/// pub fn add(numbers: Vec<i64>) -> i64;
///
/// assert_eq!(<add as fusion::Contract>::TOPIC, "add");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the contract of a topic",
    label = "neither a `#[contract]` nor a `#[reactor]` with a topic of its own",
    note = "if it is a window: it is neither asked nor sent to, send to the topics that it gathers"
)]
pub trait Contract: Sized + 'static {
    /// The topic's name.
    const TOPIC: &'static str;
    /// How requests to this topic look on the wire.
    const ENVELOPE: Envelope = Envelope::Headers;
    /// One more than the deepest topic this one asks. Computing it makes rustc find circles.
    #[doc(hidden)]
    const WAITS_FOR_ANSWERS: usize = 0;
    /// The parameters: a tuple, or [`List`] for a topic that takes any number of arguments.
    type Params: Wire;
    /// The answer, `()` for an event.
    type Reply;
    /// The number of arguments that callers must write at least, as a [`Least`] of this contract.
    #[doc(hidden)]
    type Least: Of<Contract = Self>;
}

/// A contract that can be asked: everything but an event, a declaration without `->`.
///
/// ```
/// use fusion::{Answers, prelude::*};
/// use std::time::Duration;
///
/// /// Asks anything, impatiently.
/// async fn quickly<C: Answers>(
///     asked: fusion::Ask<C::Reply>,
/// ) -> Result<C::Reply, CallError>
/// where
///     C::Reply: serde::de::DeserializeOwned + Send + Sync + 'static,
/// {
///     asked.within(Duration::from_millis(100)).await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "this topic is an event: it can be sent, not asked",
    label = "answers nothing",
    note = "write `-> ()` on its declaration if callers may wait until it is done"
)]
pub trait Answers: Contract<Least: Asked> {}

/// The contract of a topic, found by the topic's name.
#[diagnostic::on_unimplemented(
    message = "no reactor or contract declares this topic",
    label = "unknown topic",
    note = "declare it with `#[reactor(topic = ..)]` or `#[contract(topic = ..)]`, or state what it answers: `\"topic\"(..) -> T`",
    note = "contracts of another crate are seen once that crate is named: `use contracts as _;`"
)]
pub trait Declared<Marker> {
    /// The contract that was declared.
    type Contract: Contract;
}

/// How a request travels: the option `envelope` of a reactor or a contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelope {
    /// The value is the payload; everything else is in headers.
    #[default]
    Headers,
    /// fusion-clj's: `{"data": [..], "return-topic": ".."}`.
    Json,
}

/// The larger of two depths: `Ord::max` is not `const`.
#[doc(hidden)]
pub const fn deeper(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
