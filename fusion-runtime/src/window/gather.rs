//! What a window keeps of its records.

use crate::reactor::Context;

/// What a parameter named like a source of `window!` may be, besides `Vec<T>`, which is given everything, and
/// `Option<T>`, which is given the last: something of your own that keeps less.
///
/// It is given the records in the order in which they arrive, which need not be the order of their times.
///
/// ```
/// use fusion::{Context, Gather};
///
/// /// The sum and the number of readings.
/// #[derive(Default)]
/// struct Mean {
///     sum: f64,
///     count: u32,
/// }
///
/// impl Gather for Mean {
///     type Item = f64;
///     fn add(&mut self, item: f64, _: &Context) {
///         self.sum += item;
///         self.count += 1;
///     }
/// }
///
/// let cx = fusion::testing::context().build();
/// let mut mean = Mean::default();
/// mean.add(1.0, &cx);
/// mean.add(2.0, &cx);
/// assert_eq!(mean.sum / f64::from(mean.count), 1.5);
/// ```
///
/// Sessions also need [`Merge`], `emit = updates` needs `Clone`. A handler that fails is run again only if what it takes
/// is `Clone`.
///
/// # Panics
/// If `add` panics (or `merge`, `clone`, `default`), nobody knows what it left of what was gathered. So nothing more is
/// gathered for this window, its handler does not run, and when it fires, it becomes one dead letter with the code
/// `panic`, the place of the record, and those of all records of the window. All other windows go on. To skip a record
/// instead, return without a change; to refuse it before any window sees it, let `by` give `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot gather a source",
    label = "neither `Vec<T>` nor `Option<T>` of a `T: Send`, nor `Gather`",
    note = "implement `fusion::Gather` for it; if it is handed in, give it a name that no source has"
)]
pub trait Gather: Default + Send + 'static {
    /// What one record of the source is read as: `Deserialize`, and `Clone` in hopping and sliding windows.
    type Item;

    /// Takes a record. `cx` has its topic, partition and offset in the source, and as [`timestamp`](Context::timestamp) its
    /// event time, which is what `at` says.
    fn add(&mut self, item: Self::Item, cx: &Context);
}

/// What a [`Gather`] in a session window must be able to do: sessions that a record connects become one.
///
/// ```
/// use fusion::{Gather, Merge, prelude::*};
///
/// /// The pages of a visit, and when it began.
/// #[derive(Default)]
/// struct Visit {
///     pages: u64,
///     began: Option<i64>,
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Click {
///     user: String,
///     at: i64,
/// }
///
/// impl Gather for Visit {
///     type Item = Click;
///     fn add(&mut self, click: Click, _: &Context) {
///         self.merge(Visit { pages: 1, began: Some(click.at) });
///     }
/// }
///
/// impl Merge for Visit {
///     fn merge(&mut self, other: Self) {
///         self.pages += other.pages;
///         self.began = self.began.into_iter().chain(other.began).min();
///     }
/// }
///
/// #[reactor(window! < visit: "clicks" by user at at >, session = 30m, longest = 8h, grace = 1m, to = "visits")]
/// fn visit(user: Key<String>, visit: Visit) -> String {
///     format!("{} saw {} pages from {:?} on", *user, visit.pages, visit.began)
/// }
///
/// let (mut later, cx) = (Visit::default(), fusion::testing::context().build());
/// later.add(Click { user: "ada".into(), at: 20 }, &cx);
/// later.merge(Visit { pages: 2, began: Some(10) });
/// assert_eq!(visit(Key("ada".into()), later), "ada saw 3 pages from Some(10) on");
/// # let _ = reactors![visit];
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged, and sessions are",
    label = "not `Merge`",
    note = "implement `fusion::Merge` for it"
)]
pub trait Merge: Gather {
    /// Takes what another session gathered. It may be earlier or later.
    fn merge(&mut self, other: Self);
}

/// Where a record of a window came from.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its event time, in milliseconds since 1970. The order of the fields is the order of records that are handed
    /// over.
    pub time: i64,
    /// The place of its topic in `WindowSpec::topics`.
    pub topic: u16,
    /// Its partition there.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// A parameter that gathers: what is held while the window is open, and what becomes of it when it is handed over.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot gather a source",
    label = "neither `Vec<T>` nor `Option<T>` of a `T: Send`, nor `Gather`",
    note = "implement `fusion::Gather` for it; if it is handed in, give it a name that no source has"
)]
pub trait Gathers: Sized {
    /// What one record is read as.
    type Item: Send + 'static;
    /// What is held.
    type Held: Default + Send + 'static;
    /// Takes a record.
    fn add(held: &mut Self::Held, item: Self::Item, place: &Place, cx: &Context);
    /// What the handler is given.
    fn hand_over(held: Self::Held) -> Self;
}

/// A parameter that sessions can have: sessions that a record connects become one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged, and sessions are",
    label = "not `Merge`",
    note = "implement `fusion::Merge` for it"
)]
pub trait Joins: Gathers {
    /// Takes what another session held.
    fn merge(held: &mut Self::Held, other: Self::Held);
}

impl<P: Gathers<Held: Merges>> Joins for P {
    fn merge(held: &mut P::Held, other: P::Held) {
        held.take(other);
    }
}

/// What is held, if it can be merged.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged, and sessions are",
    label = "not `Merge`",
    note = "implement `fusion::Merge` for it"
)]
pub trait Merges {
    /// Takes what another session held.
    fn take(&mut self, other: Self);
}

/// What a `Vec<T>` holds while its window is open: only handing it over sorts.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct InOrder<T>(Vec<(Place, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder(Vec::new())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Gathers for Vec<T> {
    type Item = T;
    type Held = InOrder<T>;
    fn add(held: &mut InOrder<T>, item: T, place: &Place, _: &Context) {
        held.0.push((*place, item));
    }
    fn hand_over(mut held: InOrder<T>) -> Self {
        held.0.sort_unstable_by_key(|(place, _)| *place);
        held.0.into_iter().map(|(_, item)| item).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<T> Merges for InOrder<T> {
    fn take(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// What an `Option<T>` holds while its window is open.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Last<T>(Option<(Place, T)>);

impl<T> Default for Last<T> {
    fn default() -> Self {
        Last(None)
    }
}

impl<T> Last<T> {
    fn keep(&mut self, place: Place, item: T) {
        if self.0.as_ref().is_none_or(|(kept, _)| *kept < place) {
            self.0 = Some((place, item));
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Gathers for Option<T> {
    type Item = T;
    type Held = Last<T>;
    fn add(held: &mut Last<T>, item: T, place: &Place, _: &Context) {
        held.keep(*place, item);
    }
    fn hand_over(held: Last<T>) -> Self {
        held.0.map(|(_, item)| item)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Merges for Last<T> {
    fn take(&mut self, other: Self) {
        if let Some((place, item)) = other.0 {
            self.keep(place, item);
        }
    }
}

#[diagnostic::do_not_recommend]
impl<G: Gather<Item: Send + 'static>> Gathers for G {
    type Item = G::Item;
    type Held = G;
    fn add(held: &mut G, item: G::Item, _: &Place, cx: &Context) {
        held.add(item, cx);
    }
    fn hand_over(held: G) -> Self {
        held
    }
}

#[diagnostic::do_not_recommend]
impl<G: Merge> Merges for G {
    fn take(&mut self, other: G) {
        self.merge(other);
    }
}

/// What all sources of a window gather for one key, as the attribute implements it.
#[doc(hidden)]
pub trait Gathered: Default + Send + 'static {
    /// One record, a variant for each source.
    type Item: Send + 'static;
    /// Takes a record.
    fn add(&mut self, item: Self::Item, place: &Place, cx: &Context);
}

/// What sessions gather.
#[doc(hidden)]
pub trait Merged: Gathered {
    /// Takes what another session gathered.
    fn merge(&mut self, other: Self);
}

/// What the stub of a window with mistakes gathers.
impl Gathered for () {
    type Item = ();
    fn add(&mut self, (): (), _: &Place, _: &Context) {}
}
