//! A list of reactors, as a type: what `reactors![..]` makes and `App::reactors` takes.

use std::marker::PhantomData;

use crate::{contract::Link, window::WindowReactor};

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

/// A reactor of a list, of one kind or the other: `K` is found by rustc.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reactor",
    label = "not a reactor",
    note = "a reactor is a function with `#[reactor(topic = ..)]` or `#[reactor(window! ..)]`"
)]
pub trait Listed<K>: 'static {
    /// The state it takes, as a list of types.
    type Needs;
    /// What the check of the list looks at.
    #[doc(hidden)]
    const LINK: Link;
    /// Calls `visit` for it.
    #[doc(hidden)]
    fn visit(visitor: &mut impl Visitor);
}

/// A reactor that serves a topic.
#[derive(Debug)]
pub struct ByTopic;

/// A reactor that gathers windows.
#[derive(Debug)]
pub struct ByWindow;

#[diagnostic::do_not_recommend]
impl<R: Reactor> Listed<ByTopic> for R {
    type Needs = R::Needs;
    const LINK: Link = R::SPEC.link();
    fn visit(visitor: &mut impl Visitor) {
        visitor.reactor::<R>();
    }
}

#[diagnostic::do_not_recommend]
impl<W: WindowReactor> Listed<ByWindow> for W {
    type Needs = W::Needs;
    const LINK: Link = W::SPEC.link();
    fn visit(visitor: &mut impl Visitor) {
        visitor.window::<W>();
    }
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
    /// One that serves a topic.
    fn reactor<R: Reactor>(&mut self);
    /// One that gathers windows.
    fn window<W: WindowReactor>(&mut self);
}

#[diagnostic::do_not_recommend]
impl<S> ReactorList<S, ()> for () {
    fn visit(_: &mut impl Visitor) {}
}

impl<S, R, L, K, I, J> ReactorList<S, (K, I, J)> for (R, L)
where
    R: Listed<K>,
    S: Provides<R::Needs, I>,
    L: ReactorList<S, J>,
{
    fn visit(visitor: &mut impl Visitor) {
        R::visit(visitor);
        L::visit(visitor);
    }
}
