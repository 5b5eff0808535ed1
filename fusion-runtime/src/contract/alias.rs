//! Finding out what an alias hides.

use std::marker::PhantomData;

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
    /// Not `State`, `Context`, `Key`, `Headers` or `Window`.
    const HAND_IN: bool = false;
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
