//! What stands for a parameter that cannot gather.
//!
//! That it cannot is one error, of [`gathers`]. All else that the attribute makes holds this instead, and so has no
//! errors of its own; nor has a list of reactors with such a window in it.

use std::marker::PhantomData;

use serde::Deserialize;

use super::{Context, Gathers, ItemType, Merges, Place, Taker};

// An own `Gather` that is not `Default` or not `Send` is an error at its `impl`, but one for rustc all the same: what is
// held is asked for both.
impl<P: Gathers<Held: Default + Send>> Taker<P> {
    /// The parameter gathers. An inherent constant goes before that of [`GathersNot`].
    pub const GATHERS: bool = true;
}

/// Of such a [`Gather`](super::Gather). Inherent methods go before those of `TakerUnknown`, behind those of `TakerKnown`.
impl<P: Gathers> Taker<P> {
    /// Requires nothing.
    pub const fn gathers<I>(&self, _: &ItemType<I>) {}

    /// A record of the type that it names: with an unknown one, rustc would ask for annotations.
    pub const fn record<'a>(&self, record: &'a Never) -> &'a P::Item {
        match *record {}
    }
}

/// The other half of `Taker::GATHERS`.
#[doc(hidden)]
pub trait GathersNot {
    /// The parameter does not gather.
    const GATHERS: bool = false;
}

impl<P> GathersNot for Taker<P> {}

/// The parameter of a source, or what stands for it.
#[doc(hidden)]
pub struct Parameter<const GATHERS: bool>;

/// What gathers for the parameter `P`.
#[doc(hidden)]
pub trait Of<P> {
    /// `P` itself, or [`Missing`].
    type Gatherer: Gathers + Gives<P>;
}

impl<P: Gathers> Of<P> for Parameter<true> {
    type Gatherer = P;
}

impl<P> Of<P> for Parameter<false> {
    type Gatherer = Missing<P>;
}

/// What becomes the parameter `P` when it is handed over.
#[doc(hidden)]
pub trait Gives<P> {
    /// The parameter.
    fn give(self) -> P;
}

impl<P> Gives<P> for P {
    fn give(self) -> P {
        self
    }
}

impl<P> Gives<P> for Missing<P> {
    fn give(self) -> P {
        match self.never {}
    }
}

/// Stands for `P`. There is none.
#[doc(hidden)]
pub struct Missing<P> {
    never: Never,
    of: PhantomData<fn() -> P>,
}

/// A record that nothing gathers.
#[doc(hidden)]
#[derive(Clone, Debug, Deserialize)]
pub enum Never {}

#[diagnostic::do_not_recommend]
impl<P> Gathers for Missing<P> {
    type Item = Never;
    type Held = ();
    fn add((): &mut (), item: Never, _: &Place, _: &Context) {
        match item {}
    }
    fn hand_over((): ()) -> Self {
        unreachable!("a window whose parameter cannot gather does not compile")
    }
}

#[diagnostic::do_not_recommend]
impl Merges for () {
    fn take(&mut self, (): ()) {}
}

/// Requires that the parameter gathers. The attribute asks it once, before anything is made of a record.
#[doc(hidden)]
pub const fn gathers<P: Gathers>() {}

impl<const GATHERS: bool> std::fmt::Debug for Parameter<GATHERS> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parameter<{GATHERS}>")
    }
}

impl<P> std::fmt::Debug for Missing<P> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.never {}
    }
}
