//! Finding out what an alias hides.

use std::marker::PhantomData;

use crate::record::Headers;

/// Tells whether a type is a `Result`, a `Vec` or an `Option`, also behind an alias.
///
/// The macros read the signature as it is written; `type Ids = Vec<i64>` would silently mean something
/// else than `Vec<i64>`. An inherent constant hides one of a trait, so `Is::<Ids>::LIST` is `true`, and the
/// macro turns that into an error that names the alias.
#[derive(Debug)]
pub struct Is<T>(PhantomData<fn() -> T>);

/// What most types are: none of these. Imported by the expansion for its constants.
#[doc(hidden)]
pub trait Plain {
    /// Not a `Result`.
    const RESULT: bool = false;
    /// Not a `Vec`.
    const LIST: bool = false;
    /// Not an `Option`.
    const OPTION: bool = false;
    /// Not `State`, `Context`, `Key` or `Headers`.
    const HAND_IN: bool = false;
    /// Not a `State`.
    const STATE: bool = false;
}

impl<T> Plain for Is<T> {}

impl<T, E> Is<Result<T, E>> {
    /// It is a `Result`.
    pub const RESULT: bool = true;
}

impl<T> Is<Vec<T>> {
    /// It is a `Vec`.
    pub const LIST: bool = true;
}

impl<T> Is<Option<T>> {
    /// It is an `Option`.
    pub const OPTION: bool = true;
}

impl Is<Headers> {
    /// It is handed in.
    pub const HAND_IN: bool = true;
}

#[cfg(feature = "kafka")]
impl Is<crate::reactor::Context> {
    /// It is handed in.
    pub const HAND_IN: bool = true;
}

#[cfg(feature = "kafka")]
impl<K> Is<crate::reactor::Key<K>> {
    /// It is handed in.
    pub const HAND_IN: bool = true;
}

#[cfg(feature = "kafka")]
impl<T> Is<crate::reactor::State<T>> {
    /// It is handed in.
    pub const HAND_IN: bool = true;
    /// It is a `State`.
    pub const STATE: bool = true;
}

/// Fails the build if a type hides what it must not hide. rustc shows the caller's place.
#[doc(hidden)]
#[track_caller]
pub const fn refuse(hides: bool, message: &'static str) {
    if hides {
        panic!("{}", message);
    }
}
