//! What an argument converts to.
//!
//! An argument may be the parameter's type, a reference or a smart pointer to it, a string slice for a
//! `String`, an array or a slice for a `Vec`, a plain value for an `Option`. Serializable else the user says
//! in types. The value is only looked at: it is written to the wire from where it is.

use std::{borrow::Cow, sync::Arc};

use serde::Serialize;

use super::Serializable;

/// Can stand for a parameter of type `T`.
#[diagnostic::on_unimplemented(
    message = "mismatched argument: expected `{T}`, found `{Self}`",
    label = "expected `{T}`, found `{Self}`"
)]
pub trait Arg<T: ?Sized> {
    /// What is written to the wire.
    type Written: Serialize + ?Sized;
    /// The value to write.
    fn written(&self) -> &Self::Written;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Arg<T> for T {
    type Written = T;
    fn written(&self) -> &T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Arg<Serializable> for T {
    type Written = T;
    fn written(&self) -> &T {
        self
    }
}

/// References and smart pointers: what they point to.
macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(#[diagnostic::do_not_recommend]
        impl<T: Serialize> Arg<T> for $pointer {
            type Written = T;
            fn written(&self) -> &T {
                self
            }
        })*
    };
}

pointers!(&T, &&T, &mut T, Box<T>, Arc<T>, &Box<T>, &Arc<T>);

#[diagnostic::do_not_recommend]
impl<T: Serialize + Clone> Arg<T> for Cow<'_, T> {
    type Written = T;
    fn written(&self) -> &T {
        self
    }
}

macro_rules! strings {
    ($($target:ty: $($string:ty),*;)*) => {
        $($(#[diagnostic::do_not_recommend]
        impl Arg<$target> for $string {
            type Written = str;
            fn written(&self) -> &str {
                self
            }
        })*)*
    };
}

strings! {
    String: str, &str, &&str, Box<str>, Arc<str>, Cow<'_, str>;
    Option<String>: str, &str, &&str;
}

// For an `Option`, and not for whatever serializes alike: the user's types stay what they say.
#[diagnostic::do_not_recommend]
impl<T: Serialize> Arg<Option<T>> for T {
    type Written = T;
    fn written(&self) -> &T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Arg<Option<T>> for &T {
    type Written = T;
    fn written(&self) -> &T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: Arg<T> + Serialize> Arg<Vec<T>> for [U] {
    type Written = [U];
    fn written(&self) -> &[U] {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: Arg<T> + Serialize> Arg<Vec<T>> for &[U] {
    type Written = [U];
    fn written(&self) -> &[U] {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: Arg<T> + Serialize, const N: usize> Arg<Vec<T>> for [U; N] {
    type Written = [U];
    fn written(&self) -> &[U] {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, U: Arg<T> + Serialize, const N: usize> Arg<Vec<T>> for &[U; N] {
    type Written = [U];
    fn written(&self) -> &[U] {
        *self
    }
}
