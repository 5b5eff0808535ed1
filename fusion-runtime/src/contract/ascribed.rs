//! A topic that a graph names with `-> T`, or that `to` names: declared or not.

use std::marker::PhantomData;

use super::{Answers, Contract, Declared, Least, Topic, TopicId, Untyped};

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
