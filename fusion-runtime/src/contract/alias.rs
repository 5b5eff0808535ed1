//! Finding out what an alias hides.

use std::marker::PhantomData;

use serde::Serialize;

/// Tells whether a type is a `Result`, a `Vec`, an `Option` or a `State`, also behind an alias.
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
    /// Not a `State`.
    const STATE: bool = false;
}

impl<T> Plain for Is<T> {}

// Any other `Result` is refused as what it is: an answer that is not `Serialize`.
impl<T: Serialize, E: Serialize> Is<Result<T, E>> {
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

#[cfg(feature = "kafka")]
impl<T> Is<crate::reactor::State<T>> {
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
