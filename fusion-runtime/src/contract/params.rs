//! Parameters of a topic: which there are, and what they look like on the wire.

use std::marker::PhantomData;

use crate::record::codec::Shape;

use super::{Answers, Arg, Args, Contract};

/// The one parameter of a topic that takes any number of arguments, `fn add(numbers: Vec<i64>)`.
#[derive(Debug)]
pub struct List<T>(PhantomData<fn() -> T>);

/// The parameters of a topic that nothing declares: whatever the caller writes.
#[derive(Debug)]
pub struct Untyped;

/// The type of a parameter of such a topic: whatever can be written.
#[derive(Debug)]
pub struct Serializable;

/// Parameters have a form on the wire.
pub trait Wire: 'static {
    /// That form.
    const SHAPE: Shape;
    /// The number of parameters, none for a list: as many values are written at least.
    const COUNT: usize;
    /// It is a list.
    const IS_LIST: bool = false;
    /// The type of a value that is all of them.
    type Whole;
}

/// The parameter at place `I`.
#[diagnostic::on_unimplemented(message = "too many arguments for this topic", label = "unexpected argument")]
pub trait Param<const I: usize> {
    /// The parameter's type.
    type Type;
    /// All of them. What is asked of them through here is not reported where there is no parameter.
    type All;
}

/// The parameter at place `I`, of type `P`, takes an argument of type `T`.
///
/// An argument could be asked for its [`Arg`] directly. But where two contracts declare one topic, the parameter is
/// unknown, and rustc reports `T: Arg<_>` for each argument, since few types could stand there; what has as many
/// implementations as this it takes for a consequence of the other error.
#[diagnostic::on_unimplemented(
    message = "mismatched argument: expected `{P}`, found `{T}`",
    label = "expected `{P}`, found `{T}`"
)]
pub trait Takes<const I: usize, T: ?Sized, P> {
    /// Writes the argument.
    #[doc(hidden)]
    fn put(args: &mut Args, argument: &T);
}

/// `N` arguments are enough.
#[diagnostic::on_unimplemented(
    message = "too few arguments for this topic",
    label = "{N} written, more expected"
)]
pub trait Enough<const N: usize> {}

/// `..items` may stand among the arguments: the topic takes a list.
#[diagnostic::on_unimplemented(
    message = "this topic does not take a list",
    label = "`..` spreads into a list only"
)]
pub trait Spread {
    /// The type of the list's items.
    type Item;
}

impl Wire for Untyped {
    const SHAPE: Shape = Shape::Values;
    const COUNT: usize = 0;
    type Whole = Serializable;
}

#[diagnostic::do_not_recommend]
impl<const I: usize> Param<I> for Untyped {
    type Type = Serializable;
    type All = Self;
}

#[diagnostic::do_not_recommend]
impl<const I: usize, T: Arg<Serializable> + ?Sized> Takes<I, T, Serializable> for Untyped {
    fn put(args: &mut Args, argument: &T) {
        args.push(argument.written());
    }
}

impl<T: 'static> Wire for List<T> {
    const SHAPE: Shape = Shape::List;
    const COUNT: usize = 0;
    const IS_LIST: bool = true;
    type Whole = Vec<T>;
}

#[diagnostic::do_not_recommend]
impl<T, const I: usize> Param<I> for List<T> {
    type Type = T;
    type All = Self;
}

#[diagnostic::do_not_recommend]
impl<P, const I: usize, T: Arg<P> + ?Sized> Takes<I, T, P> for List<P> {
    fn put(args: &mut Args, argument: &T) {
        args.push(argument.written());
    }
}

#[diagnostic::do_not_recommend]
impl<T> Spread for List<T> {
    type Item = T;
}

/// The least number of arguments that the contract `C` takes: trailing `Option`s may be left out, a list may be
/// empty.
#[derive(Debug)]
pub struct Least<C, const N: usize>(PhantomData<fn() -> C>);

/// The contract of a [`Least`]. Whoever comes to a contract this way, from a path that leads to none, has one
/// error: what is projected from it is unknown to rustc, and what follows from that is not reported.
#[doc(hidden)]
pub trait Of {
    /// The contract.
    type Contract: Contract;
}

impl<C: Contract, const N: usize> Of for Least<C, N> {
    type Contract = C;
}

/// The contract of a [`Least`] can be asked: what is asked for this of a type that is no contract at all, a window say, is
/// not reported again.
#[doc(hidden)]
pub trait Asked {}

impl<C: Answers, const N: usize> Asked for Least<C, N> {}

macro_rules! enough {
    ($least:literal: $($n:literal)*) => {
        $(#[diagnostic::do_not_recommend] impl<C> Enough<$n> for Least<C, $least> {})*
    };
}

#[diagnostic::do_not_recommend]
impl<C, const N: usize> Enough<N> for Least<C, 0> {}
// One more than 12, so that one surplus argument is told as what it is, by `Param`.
enough!(1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
enough!(2: 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
enough!(3: 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
enough!(4: 4 5 6 7 8 9 10 11 12 13 14 15 16);
enough!(5: 5 6 7 8 9 10 11 12 13 14 15 16);
enough!(6: 6 7 8 9 10 11 12 13 14 15 16);
enough!(7: 7 8 9 10 11 12 13 14 15 16);
enough!(8: 8 9 10 11 12 13 14 15 16);
enough!(9: 9 10 11 12 13 14 15 16);
enough!(10: 10 11 12 13 14 15 16);
enough!(11: 11 12 13 14 15 16);
enough!(12: 12 13 14 15 16);

macro_rules! wire {
    ($count:literal $($name:ident)*) => {
        impl<$($name: 'static),*> Wire for ($($name,)*) {
            const SHAPE: Shape = Shape::Values;
            const COUNT: usize = $count;
            type Whole = wire!(@whole $($name)*);
        }
    };
    (@whole $only:ident) => { $only };
    (@whole $($name:ident)*) => { ($($name,)*) };
}

wire!(0);
wire!(1 A);
wire!(2 A B);
wire!(3 A B C);
wire!(4 A B C D);
wire!(5 A B C D E);
wire!(6 A B C D E F);
wire!(7 A B C D E F G);
wire!(8 A B C D E F G H);
wire!(9 A B C D E F G H J);
wire!(10 A B C D E F G H J K);
wire!(11 A B C D E F G H J K L);
wire!(12 A B C D E F G H J K L M);

/// `param!((A B C) 0 A, 1 B, 2 C)`: the parameters of one tuple.
macro_rules! param {
    ($names:tt $($i:literal $t:ident)*) => {
        $(param!(@one $names $i $t);)*
    };
    (@one [$($name:ident)*] $i:literal $t:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$($name),*> Param<$i> for ($($name,)*) {
            type Type = $t;
            type All = Self;
        }
        #[diagnostic::do_not_recommend]
        impl<$($name,)* Argument: Arg<$t> + ?Sized> Takes<$i, Argument, $t> for ($($name,)*) {
            fn put(args: &mut Args, argument: &Argument) {
                args.push(argument.written());
            }
        }
    };
}

param!([A] 0 A);
param!([A B] 0 A 1 B);
param!([A B C] 0 A 1 B 2 C);
param!([A B C D] 0 A 1 B 2 C 3 D);
param!([A B C D E] 0 A 1 B 2 C 3 D 4 E);
param!([A B C D E F] 0 A 1 B 2 C 3 D 4 E 5 F);
param!([A B C D E F G] 0 A 1 B 2 C 3 D 4 E 5 F 6 G);
param!([A B C D E F G H] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H);
param!([A B C D E F G H J] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J);
param!([A B C D E F G H J K] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K);
param!([A B C D E F G H J K L] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K 10 L);
param!([A B C D E F G H J K L M] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K 10 L 11 M);
