//! A topic as a value, with its contract as a type, and what expansions ask of it.

use std::marker::PhantomData;

use super::{Answers, Arg, Args, Contract, Enough, Fits, Of, Param, SentTo, Spread, Takes, Wire};

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

/// The stated reply type is the declared one. The contract goes on through here, so that whoever states another type
/// has one error: what is projected from an unknown contract is not reported again.
#[diagnostic::on_unimplemented(
    message = "this topic answers `{Self}`, not `{T}`",
    label = "expected `{Self}`, found `{T}`"
)]
#[doc(hidden)]
pub trait SameReply<T, C> {
    /// `C`
    type Contract: Contract;
}

#[diagnostic::do_not_recommend]
impl<T, C: Contract> SameReply<T, C> for T {
    type Contract = C;
}

/// A place among the arguments.
#[derive(Debug)]
pub struct Place<P, const I: usize>(PhantomData<fn() -> P>);

impl<P, const I: usize> Place<P, I> {
    /// Writes the argument.
    // `T` is the only argument of the method itself: that gives it rustc's caret.
    #[doc(hidden)]
    pub fn put<T: ?Sized>(&self, args: &mut Args, argument: &T)
    where
        P: Param<I, All: Takes<I, T, <P as Param<I>>::Type>>,
    {
        P::All::put(args, argument);
    }
}

/// Requires that a value of type `T`, sent as it is, is what the topic takes.
// No method: rustc would take the topic for the value, and suggest to write it as a tuple.
#[doc(hidden)]
pub const fn takes<T, C: Contract>(_: Topic<C>)
where
    T: SentTo<C::Params, <C::Params as Wire>::Whole>,
{
}

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
    pub const fn answers<T>(self) -> Topic<<C::Reply as SameReply<T, C>>::Contract>
    where
        C::Reply: SameReply<T, C>,
    {
        Topic::named(self.name)
    }

    /// Requires that `N` arguments are enough.
    #[doc(hidden)]
    pub const fn enough<const N: usize>(self)
    where
        C::Least: Enough<N>,
    {
    }

    /// The place `I` among the arguments.
    #[doc(hidden)]
    pub fn at<const I: usize>(&self) -> Place<C::Params, I> {
        Place(PhantomData)
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
