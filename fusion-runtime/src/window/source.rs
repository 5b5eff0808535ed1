//! How a record of a source is read, and what its parameter must be.

use std::{any::Any, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    contract::{Contract, Envelope, List, Readable, Topic, Untyped},
    failure::{Code, Failure},
};

use super::{Gathers, Never, Unread};

/// The parameters of a topic as one item of a window. `R` is what the window says, for a topic that nothing declares.
#[doc(hidden)]
pub trait Records<R> {
    /// The one parameter, the tuple of several, a `Vec` of a list's.
    type Item: 'static;
}

/// The same, to be read as `I`, which is what the parameter gathers.
#[doc(hidden)]
pub trait ReadRecord<R>: Records<R> {
    /// Reads a record.
    ///
    /// # Errors
    /// With code `decode`.
    fn read<I: Decodes + 'static>(value: Unread<'_>, envelope: Envelope) -> Result<I, Failure>;
}

impl<R> Records<R> for () {
    type Item = ();
}

impl<R> ReadRecord<R> for () {
    fn read<I: 'static>(_: Unread<'_>, _: Envelope) -> Result<I, Failure> {
        same(())
    }
}

impl<R, T: 'static> Records<R> for (T,) {
    type Item = T;
}

impl<R, T: 'static> ReadRecord<R> for (T,) {
    fn read<I: Decodes>(value: Unread<'_>, envelope: Envelope) -> Result<I, Failure> {
        I::decode(value, envelope)
    }
}

impl<R, T: 'static> Records<R> for List<T> {
    type Item = Vec<T>;
}

impl<R, T: 'static> ReadRecord<R> for List<T> {
    fn read<I: Decodes>(value: Unread<'_>, envelope: Envelope) -> Result<I, Failure> {
        I::decode(value, envelope)
    }
}

impl<R: 'static> Records<R> for Untyped {
    type Item = R;
}

impl<R: 'static> ReadRecord<R> for Untyped {
    fn read<I: Decodes>(value: Unread<'_>, envelope: Envelope) -> Result<I, Failure> {
        I::decode(value, envelope)
    }
}

/// `gathers` has the error if these are two types. As a bound here there would be one more for each topic.
fn same<T: 'static, I: 'static>(item: T) -> Result<I, Failure> {
    let mut item = Some(item);
    let item = (&mut item as &mut dyn Any).downcast_mut::<Option<I>>().and_then(Option::take);
    item.ok_or_else(|| Failure::new(Code::Decode, "the source gathers something else"))
}

macro_rules! several {
    ($($name:ident)*) => {
        impl<R, $($name: 'static),*> Records<R> for ($($name,)*) {
            type Item = Self;
        }
        impl<R, $($name: Readable + Send + 'static),*> ReadRecord<R> for ($($name,)*) {
            fn read<I: 'static>(value: Unread<'_>, envelope: Envelope) -> Result<I, Failure> {
                value.opened(envelope)?.several::<Self>().and_then(same)
            }
        }
    };
}

several!(A B);
several!(A B C);
several!(A B C D);
several!(A B C D E);
several!(A B C D E F);
several!(A B C D E F G);
several!(A B C D E F G H);
several!(A B C D E F G H J);
several!(A B C D E F G H J K);
several!(A B C D E F G H J K L);
several!(A B C D E F G H J K L M);

/// What the records of a topic are.
#[doc(hidden)]
pub type RecordOf<C> = <<C as Contract>::Params as Records<<C as Contract>::Reply>>::Item;

/// The type of a source's records.
#[doc(hidden)]
pub struct ItemType<I>(PhantomData<fn() -> I>);

/// What the records of this topic are.
#[doc(hidden)]
pub const fn records<C>(_: Topic<C>) -> ItemType<RecordOf<C>>
where
    C: Contract<Params: Records<<C as Contract>::Reply>>,
{
    ItemType(PhantomData)
}

/// All topics of a source have one type of records.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a record of this topic is `{Self}`, those of the first topic of this source are `{T}`",
    label = "expected `{T}`, found `{Self}`",
    note = "topics of different records are different sources"
)]
pub trait SameRecord<T> {}

#[diagnostic::do_not_recommend]
impl<T> SameRecord<T> for T {}

/// The records of a source are what its parameter gathers.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the records of this source are `{Self}`, and this parameter gathers `{T}`",
    label = "gathers `{T}`, not `{Self}`"
)]
pub trait GatheredAs<T> {}

#[diagnostic::do_not_recommend]
impl<T> GatheredAs<T> for T {}

impl<I> ItemType<I> {
    /// Requires that the records of another topic are the same.
    pub const fn also<J: SameRecord<I>>(&self, _: ItemType<J>) {}
}

/// A parameter, of which by autoref nothing is required if it gathers nothing at all: that is reported once, elsewhere.
#[doc(hidden)]
pub struct Taker<P>(PhantomData<fn() -> P>);

impl<P> Taker<P> {
    /// What the parameter's type says.
    #[expect(clippy::new_without_default, reason = "an expansion calls it")]
    pub const fn new() -> Self {
        Taker(PhantomData)
    }
}

/// The better half of [`Taker`], found first.
#[doc(hidden)]
pub trait TakerKnown<P: Gathers> {
    /// Requires that it gathers `I`.
    fn gathers<I: GatheredAs<P::Item>>(&self, _: &ItemType<I>) {}

    /// The record, whose type is known.
    fn record<'a>(&self, record: &'a P::Item) -> &'a P::Item {
        record
    }
}

impl<P: Gathers<Held: Default + Send>> TakerKnown<P> for &Taker<P> {}

/// The other half of [`Taker`].
#[doc(hidden)]
pub trait TakerUnknown {
    /// Requires nothing.
    fn gathers<I>(&self, _: &ItemType<I>) {}

    /// A record of a type that nobody knows, so that nothing that is made of it is known to be wrong.
    fn record<'a, R>(&self, record: &'a Never) -> &'a R {
        match *record {}
    }
}

impl<P> TakerUnknown for Taker<P> {}

/// Reads a record of `topic` for a parameter that gathers `I`.
///
/// # Errors
/// With code `decode`.
#[doc(hidden)]
pub fn read<C, I: Decodes + 'static>(_: Topic<C>, value: Unread<'_>) -> Result<I, Failure>
where
    C: Contract<Params: ReadRecord<<C as Contract>::Reply>>,
{
    <C::Params as ReadRecord<C::Reply>>::read(value, C::ENVELOPE)
}

/// The record of a topic that the window does not gather.
#[doc(hidden)]
pub fn stranger(topic: usize) -> Failure {
    Failure::new(Code::Decode, format!("the window has no topic number {topic}"))
}

/// What the closure behind `by` or `at` gives.
#[doc(hidden)]
pub fn of<T: ?Sized, V>(item: &T, closure: impl FnOnce(&T) -> V) -> V {
    closure(item)
}

/// What can be read from a record, in our words.
// Not a subtrait of `DeserializeOwned`: rustc would ask for that first, in serde's words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a record",
    label = "not `Deserialize`",
    note = "derive it: `#[derive(serde::Deserialize)]`"
)]
pub trait Decodes: Sized {
    /// Reads one.
    ///
    /// # Errors
    /// With code `decode`.
    fn decode(value: Unread<'_>, envelope: Envelope) -> Result<Self, Failure>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Decodes for T {
    fn decode(value: Unread<'_>, envelope: Envelope) -> Result<T, Failure> {
        value.single(envelope)
    }
}

/// The records of a source can be copied, for windows that overlap.
#[doc(hidden)]
pub trait Overlaps: Gathers {
    /// A second one.
    fn copy(item: &Self::Item) -> Self::Item;
}

impl<P: Gathers<Item: Copies>> Overlaps for P {
    fn copy(item: &P::Item) -> P::Item {
        item.copy()
    }
}

/// A record that can be copied, in our words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and a record of this source belongs to several windows",
    label = "its records are not `Clone`",
    note = "derive it: `#[derive(Clone)]`"
)]
pub trait Copies {
    /// A second one.
    fn copy(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Copies for T {
    fn copy(&self) -> T {
        self.clone()
    }
}

/// A parameter whose source can be handed over while it is still gathering.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and `emit = updates` and `retry` hand over a copy",
    label = "not `Clone`",
    note = "derive it: `#[derive(Clone)]`"
)]
pub trait Repeats: Gathers {
    /// A second one of what is held.
    fn copy(held: &Self::Held) -> Self::Held;
}

impl<P: Gathers<Held: HeldTwice<P>>> Repeats for P {
    fn copy(held: &P::Held) -> P::Held {
        held.copy()
    }
}

/// What is held for the parameter `P` can be copied, in our words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{P}` is not `Clone`, and `emit = updates` and `retry` hand over a copy",
    label = "not `Clone`",
    note = "derive it: `#[derive(Clone)]`"
)]
pub trait HeldTwice<P> {
    /// A second one.
    fn copy(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<P, T: Clone> HeldTwice<P> for T {
    fn copy(&self) -> T {
        self.clone()
    }
}

/// A second one of what is held, if it is `Clone`: found out by autoref.
#[doc(hidden)]
pub struct Copied<'a, H>(pub &'a H);

/// The better half of [`Copied`], found first.
#[doc(hidden)]
pub trait CopiedClone<H> {
    /// A second one.
    fn copy(&self) -> Option<H>;
}

impl<H: Clone> CopiedClone<H> for &Copied<'_, H> {
    fn copy(&self) -> Option<H> {
        Some(self.0.clone())
    }
}

/// The other half of [`Copied`].
#[doc(hidden)]
pub trait CopiedNot<H> {
    /// None.
    fn copy(&self) -> Option<H>;
}

impl<H> CopiedNot<H> for Copied<'_, H> {
    fn copy(&self) -> Option<H> {
        None
    }
}

macro_rules! debug {
    ($($name:ident<$(($life:lifetime))? $($param:ident),*>)*) => {
        $(impl<$($param),*> std::fmt::Debug for $name<$($life,)? $($param),*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        })*
    };
}

debug! { ItemType<I> Taker<P> Copied<('_) H> }

impl Unread<'_> {
    /// Reads the only parameter. fusion-clj wraps that in an array, too.
    fn single<T: DeserializeOwned>(self, envelope: Envelope) -> Result<T, Failure> {
        let opened = self.opened(envelope)?;
        opened.one().or_else(|failure| {
            let only = opened.value.filter(|_| envelope == Envelope::Json);
            let only = only.and_then(crate::record::wire::only_element);
            only.and_then(|only| Unread { value: Some(only), ..opened }.one().ok()).ok_or(failure)
        })
    }
}
