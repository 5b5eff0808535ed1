//! A list of reactors, as a type: what `reactors![..]` makes and `App::reactors` takes.

use std::marker::PhantomData;

use super::Reactor;

/// Reactors as nested pairs, `(add, (sum, ()))`, checked for circles and for double names and topics.
#[derive(Debug)]
pub struct Set<L>(PhantomData<fn() -> L>);

/// What `reactors![..]` expands to.
pub const fn set<L>() -> Set<L> {
    Set(PhantomData)
}

/// Found at the head of a list.
#[derive(Debug)]
pub struct Here;

/// Found behind the head, at `I`.
#[derive(Debug)]
pub struct There<I>(PhantomData<I>);

/// The app's state, a list of types, has a `T` at place `I`.
#[diagnostic::on_unimplemented(
    message = "the app provides no state `{T}`",
    label = "a reactor here takes `State<{T}>`",
    note = "add `.state(..)` before `.reactors(..)`"
)]
pub trait Has<T, I> {}

#[diagnostic::do_not_recommend]
impl<T, R> Has<T, Here> for (T, R) {}

#[diagnostic::do_not_recommend]
impl<T, H, R, I> Has<T, There<I>> for (H, R) where R: Has<T, I> {}

/// The app's state has everything in the list `N`.
#[diagnostic::on_unimplemented(message = "the app does not provide the state of its reactors")]
pub trait Provides<N, I> {}

#[diagnostic::do_not_recommend]
impl<S> Provides<(), ()> for S {}

// These two are recommended: below them rustc finds which state is missing.
impl<S, H, R, I, J> Provides<(H, R), (I, J)> for S
where
    S: Has<H, I>,
    S: Provides<R, J>,
{
}

/// All reactors of a list, whose state `S` provides.
#[diagnostic::on_unimplemented(message = "the app does not provide the state of its reactors")]
pub trait ReactorList<S, I> {
    /// Calls `visit` for each.
    #[doc(hidden)]
    fn visit(visitor: &mut impl Visitor);
}

/// Does something with each reactor of a list.
#[doc(hidden)]
pub trait Visitor {
    /// One reactor.
    fn reactor<R: Reactor>(&mut self);
}

#[diagnostic::do_not_recommend]
impl<S> ReactorList<S, ()> for () {
    fn visit(_: &mut impl Visitor) {}
}

impl<S, R, L, I, J> ReactorList<S, (I, J)> for (R, L)
where
    R: Reactor,
    S: Provides<R::Needs, I>,
    L: ReactorList<S, J>,
{
    fn visit(visitor: &mut impl Visitor) {
        visitor.reactor::<R>();
        L::visit(visitor);
    }
}
