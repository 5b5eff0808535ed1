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
mod circle;
mod key;
mod params;
mod payload;
mod same;

pub use alias::{Is, Plain, refuse};
pub use args::Args;
pub use argument::{Arg, Conj, Cons, Fits};
pub use circle::{Link, check_reactors};
pub use key::{KeyBytes, KeyError};
pub use params::{Anything, Enough, Least, List, Of, Param, Spread, Untyped, Wire};
pub use payload::{Payload, Readable};
pub use same::{Parameter, SameAsContract, same_count, same_parameter, same_reply};

use std::marker::PhantomData;

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
    label = "neither a `#[contract]` nor a `#[reactor]` with a topic of its own"
)]
pub trait Contract: Sized + 'static {
    /// The topic's name.
    const TOPIC: &'static str;
    /// How requests to this topic look on the wire.
    const ENVELOPE: Envelope = Envelope::Headers;
    /// One more than the deepest topic this one asks. Computing it makes rustc find circles.
    #[doc(hidden)]
    const DEPTH: usize = 0;
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
pub trait Answers: Contract {}

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

/// A topic in a graph: its name, and its contract as a type.
pub struct Topic<C> {
    name: &'static str,
    contract: PhantomData<fn() -> C>,
}

impl<C> Clone for Topic<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Topic<C> {}

impl<C> Topic<C> {
    pub(crate) const fn named(name: &'static str) -> Self {
        Topic { name, contract: PhantomData }
    }

    /// The topic's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<C> std::fmt::Debug for Topic<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Topic").field(&self.name).finish()
    }
}

/// The topic of the contract whose `Least` this is. In the expansion of `deps!` the contract is a path, or for a
/// topic's name `<TopicId<..> as Declared<_>>::Contract`, in which rustc infers the rest. (As a bound here, with the
/// identifier inferred from an argument, an unknown topic would be mistaken for the only one there is.)
#[doc(hidden)]
pub const fn topic<L: Of>() -> Topic<L::Contract> {
    Topic::named(<L::Contract as Contract>::TOPIC)
}

/// The larger of two depths: `Ord::max` is not `const`.
#[doc(hidden)]
pub const fn deeper(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// A topic whose reply type the caller states, `"topic"(..) -> T`.
#[derive(Debug)]
pub struct Undeclared<T>(PhantomData<fn() -> T>);

#[diagnostic::do_not_recommend]
impl<T: 'static> Contract for Undeclared<T> {
    // The name stands in the `Topic`: it is not known to the type.
    const TOPIC: &'static str = "";
    type Params = Untyped;
    type Reply = T;
    type Least = Least<Self, 0>;
}

#[diagnostic::do_not_recommend]
impl<T: 'static> Answers for Undeclared<T> {}

/// Finds out whether the topic of `"topic"(..) -> T` is declared after all: by autoref, a declared
/// topic gives its contract, any other one [`Undeclared`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Ascribed<const ID: u128, T>(&'static str, PhantomData<fn() -> T>);

impl<const ID: u128, T> Ascribed<ID, T> {
    /// `name` is the text behind `ID`.
    pub const fn new(_: TopicId<ID>, name: &'static str) -> Self {
        Ascribed(name, PhantomData)
    }
}

/// The better half of [`Ascribed`], found first.
#[doc(hidden)]
pub trait AscribedDeclared<const ID: u128, M, T> {
    /// The declared contract.
    type Contract: Contract;
    /// The topic with its declared contract.
    fn topic(&self) -> Topic<Self::Contract>;
}

impl<const ID: u128, M, T> AscribedDeclared<ID, M, T> for &Ascribed<ID, T>
where
    TopicId<ID>: Declared<M>,
{
    type Contract = <TopicId<ID> as Declared<M>>::Contract;
    fn topic(&self) -> Topic<Self::Contract> {
        Topic::named(self.0)
    }
}

/// The other half of [`Ascribed`].
#[doc(hidden)]
pub trait AscribedUndeclared<const ID: u128, T> {
    /// The topic, known by name and stated reply only.
    fn topic(&self) -> Topic<Undeclared<T>>;
}

impl<const ID: u128, T> AscribedUndeclared<ID, T> for Ascribed<ID, T> {
    fn topic(&self) -> Topic<Undeclared<T>> {
        Topic::named(self.0)
    }
}

/// The stated reply type is the declared one.
#[diagnostic::on_unimplemented(
    message = "this topic answers `{Self}`, not `{T}`",
    label = "expected `{Self}`, found `{T}`"
)]
#[doc(hidden)]
pub trait SameReply<T> {}

#[diagnostic::do_not_recommend]
impl<T> SameReply<T> for T {}

impl<C: Contract> Topic<C> {
    /// Requires that the topic can be asked.
    #[doc(hidden)]
    pub const fn asked(self) -> Self
    where
        C: Answers,
    {
        self
    }

    /// Requires that the topic answers `T`.
    #[doc(hidden)]
    pub const fn answers<T>(self) -> Self
    where
        C::Reply: SameReply<T>,
    {
        self
    }

    /// Requires that `N` arguments are enough.
    #[doc(hidden)]
    pub const fn enough<const N: usize>(self)
    where
        C::Least: Enough<N>,
    {
    }

    /// Writes the argument at place `I`.
    // As an `impl` the argument gets rustc's caret, which a second type argument would take away from it.
    #[doc(hidden)]
    pub fn arg<const I: usize>(
        &self,
        args: &mut Args,
        argument: &(impl Arg<<C::Params as Param<I>>::Type> + ?Sized),
    ) where
        C::Params: Param<I>,
    {
        args.push(argument.written());
    }

    /// Writes the items of `..items`.
    #[doc(hidden)]
    pub fn spread<I>(&self, args: &mut Args, items: I)
    where
        C::Params: Spread,
        I: IntoIterator<Item: Arg<<C::Params as Spread>::Item>>,
    {
        items.into_iter().for_each(|item| args.push(item.written()));
    }

    /// Writes the arguments that an own injection function returned.
    #[doc(hidden)]
    pub fn args(&self, args: &mut Args, arguments: &impl Fits<C::Params>) {
        arguments.write(args);
    }
}
