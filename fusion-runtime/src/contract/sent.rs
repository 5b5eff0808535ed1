//! What a reactor sends with `to = ..` is what the topic takes.

use std::sync::Arc;

use super::{Arg, List, Untyped};

/// A value that is written as it is has the form of the parameters `P`: one parameter is the whole value, several are
/// a tuple, a list is a `Vec` or an array. `Whole` is the type that a message names.
#[diagnostic::on_unimplemented(
    message = "the topic that `to` names takes `{Whole}`, not `{Self}`",
    label = "expected `{Whole}`, found `{Self}`",
    note = "`to` sends the handler's value as it is: several parameters are one tuple, a list is a `Vec`"
)]
pub trait SentTo<P, Whole> {}

#[diagnostic::do_not_recommend]
impl<T, W> SentTo<Untyped, W> for T {}

// Any value would be read, and ignored: whoever returns one means another topic.
#[diagnostic::do_not_recommend]
impl<W> SentTo<(), W> for () {}

#[diagnostic::do_not_recommend]
impl<A, T: Arg<A>, W> SentTo<(A,), W> for T {}

macro_rules! lists {
    ($([$($n:tt)*] $list:ty;)*) => {
        $(#[diagnostic::do_not_recommend]
        impl<T, U: Arg<T>, W, $($n)*> SentTo<List<T>, W> for $list {})*
    };
}

lists! {
    [] Vec<U>;
    [] Box<[U]>;
    [] Arc<[U]>;
    [] Box<Vec<U>>;
    [] Arc<Vec<U>>;
    [const N: usize] [U; N];
}

/// A tuple for several parameters, of which it may leave out trailing `Option`s; and for a list.
macro_rules! tuples {
    ($a0:ident $x0:ident $($a:ident $x:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<T, $a0: Arg<T>, $($a: Arg<T>,)* W> SentTo<List<T>, W> for ($a0, $($a,)*) {}
        tuples!(@shorter [$a0 $x0] $($a $x)*);
    };
    // One parameter is no array.
    (@shorter [$a0:ident $x0:ident]) => {};
    (@shorter [$($a:ident $x:ident)*]) => {
        #[diagnostic::do_not_recommend]
        impl<$($a: Arg<$x>, $x,)* W> SentTo<($($x,)*), W> for ($($a,)*) {}
    };
    (@shorter [$($a:ident $x:ident)*] $b0:ident $y0:ident $($b:ident $y:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($a: Arg<$x>, $x,)* $y0, $($y,)* W> SentTo<($($x,)* Option<$y0>, $(Option<$y>,)*), W> for ($($a,)*) {}
        tuples!(@shorter [$($a $x)* $b0 $y0] $($b $y)*);
    };
}

tuples!(A0 X0);
tuples!(A0 X0 A1 X1);
tuples!(A0 X0 A1 X1 A2 X2);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6 A7 X7);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6 A7 X7 A8 X8);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6 A7 X7 A8 X8 A9 X9);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6 A7 X7 A8 X8 A9 X9 A10 X10);
tuples!(A0 X0 A1 X1 A2 X2 A3 X3 A4 X4 A5 X5 A6 X6 A7 X7 A8 X8 A9 X9 A10 X10 A11 X11);
