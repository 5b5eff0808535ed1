//! What an argument converts to.
//!
//! An argument may be the parameter's type, a reference or a smart pointer to it, a string slice for a
//! `String`, an array or a slice for a `Vec`, a plain value for an `Option`. Anything else the user says
//! in types. The value is only looked at: it is written to the wire from where it is.

use std::{borrow::Cow, sync::Arc};

use serde::Serialize;

use super::{Anything, Args, List, Untyped};

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
impl<T: Serialize + ?Sized> Arg<Anything> for T {
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

/// A tuple of arguments fits parameters `P`: what an own injection function returns, and what
/// `Pipeline::ask` takes.
#[diagnostic::on_unimplemented(
    message = "these are not the arguments of the topic: expected `{P}`, found `{Self}`",
    label = "expected `{P}`, found `{Self}`"
)]
pub trait Fits<P> {
    /// Writes every argument.
    #[doc(hidden)]
    fn write(&self, args: &mut Args);
}

/// `args` with `A` in front, for `cons` behind an own injection function.
#[doc(hidden)]
pub trait Cons<A> {
    /// The longer tuple.
    type Args;
    /// Puts `first` in front.
    fn cons(self, first: A) -> Self::Args;
}

/// `args` with `A` behind, for `conj` behind an own injection function.
#[doc(hidden)]
pub trait Conj<A> {
    /// The longer tuple.
    type Args;
    /// Puts `last` behind.
    fn conj(self, last: A) -> Self::Args;
}

#[diagnostic::do_not_recommend]
impl Fits<()> for () {
    fn write(&self, _: &mut Args) {}
}

#[diagnostic::do_not_recommend]
impl<T> Fits<List<T>> for () {
    fn write(&self, _: &mut Args) {}
}

#[diagnostic::do_not_recommend]
impl Fits<Untyped> for () {
    fn write(&self, _: &mut Args) {}
}

#[diagnostic::do_not_recommend]
impl<T, U: Arg<T>> Fits<List<T>> for Vec<U> {
    fn write(&self, args: &mut Args) {
        self.iter().for_each(|item| args.push(item.written()));
    }
}

impl<T> Cons<T> for () {
    type Args = (T,);
    fn cons(self, first: T) -> (T,) {
        (first,)
    }
}

impl<T> Conj<T> for () {
    type Args = (T,);
    fn conj(self, last: T) -> (T,) {
        (last,)
    }
}

macro_rules! tuples {
    ($($a:ident $x:ident $i:tt)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($a: Arg<$x>, $x),*> Fits<($($x,)*)> for ($($a,)*) {
            fn write(&self, args: &mut Args) {
                $(args.push(self.$i.written());)*
            }
        }
        #[diagnostic::do_not_recommend]
        impl<T, $($a: Arg<T>),*> Fits<List<T>> for ($($a,)*) {
            fn write(&self, args: &mut Args) {
                $(args.push(self.$i.written());)*
            }
        }
        #[diagnostic::do_not_recommend]
        impl<$($a: Serialize),*> Fits<Untyped> for ($($a,)*) {
            fn write(&self, args: &mut Args) {
                $(args.push(&self.$i);)*
            }
        }
        impl<T, $($a),*> Cons<T> for ($($a,)*) {
            type Args = (T, $($a,)*);
            fn cons(self, first: T) -> Self::Args {
                (first, $(self.$i,)*)
            }
        }
        impl<T, $($a),*> Conj<T> for ($($a,)*) {
            type Args = ($($a,)* T,);
            fn conj(self, last: T) -> Self::Args {
                ($(self.$i,)* last,)
            }
        }
    };
}

tuples!(A0 X0 0);
tuples!(A0 X0 0 A1 X1 1);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6 A7 X7 7);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6 A7 X7 7 A8 X8 8);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6 A7 X7 7 A8 X8 8 A9 X9 9);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6 A7 X7 7 A8 X8 8 A9 X9 9 A10 X10 10);
tuples!(A0 X0 0 A1 X1 1 A2 X2 2 A3 X3 3 A4 X4 4 A5 X5 5 A6 X6 6 A7 X7 7 A8 X8 8 A9 X9 9 A10 X10 10 A11 X11 11);
