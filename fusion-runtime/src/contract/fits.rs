//! The arguments of one request, as one value.

use serde::Serialize;

use super::{Arg, Args, List, Untyped};

/// Arguments fit the parameters `P`: what an own injection function returns, and what `Pipeline::ask` takes.
#[diagnostic::on_unimplemented(
    message = "these are not the arguments of the topic: expected `{P}`, found `{Self}`",
    label = "expected `{P}`, found `{Self}`",
    note = "arguments are a tuple, such as `(order,)`, in which trailing `Option`s may be left out; a single one may stand alone as a reference, a number or a text"
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

macro_rules! lists {
    ($([$($n:tt)*] $list:ty;)*) => {
        $(#[diagnostic::do_not_recommend]
        impl<T, U: Arg<T>, $($n)*> Fits<List<T>> for $list {
            fn write(&self, args: &mut Args) {
                self.iter().for_each(|item| args.push(item.written()));
            }
        })*
    };
}

lists! {
    [] Vec<U>;
    [] &Vec<U>;
    [] &[U];
    [const N: usize] [U; N];
    [const N: usize] &[U; N];
}

// The only argument without its tuple. Not every `T`: rustc could not tell it from a tuple of one.
#[diagnostic::do_not_recommend]
impl<A, T: Arg<A> + ?Sized> Fits<(A,)> for &T {
    fn write(&self, args: &mut Args) {
        args.push((**self).written());
    }
}

macro_rules! alone {
    ($($value:ty)*) => {
        $(#[diagnostic::do_not_recommend]
        impl Fits<($value,)> for $value {
            fn write(&self, args: &mut Args) {
                args.push(self);
            }
        }
        #[diagnostic::do_not_recommend]
        impl Fits<(Option<$value>,)> for $value {
            fn write(&self, args: &mut Args) {
                args.push(self);
            }
        })*
    };
}

alone!(bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 String);

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
        shorter!([] $($a $x $i)*);
    };
}

/// Without trailing `Option`s.
macro_rules! shorter {
    ([$($a:ident $x:ident $i:tt)*]) => {};
    ([$($a:ident $x:ident $i:tt)*] $b0:ident $y0:ident $j0:tt $($b:ident $y:ident $j:tt)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($a: Arg<$x>, $x,)* $y0, $($y,)*> Fits<($($x,)* Option<$y0>, $(Option<$y>,)*)> for ($($a,)*) {
            #[allow(unused_variables)]
            fn write(&self, args: &mut Args) {
                $(args.push(self.$i.written());)*
            }
        }
        shorter!([$($a $x $i)* $b0 $y0 $j0] $($b $y $j)*);
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

#[cfg(test)]
mod tests {
    use crate::{
        contract::Wire,
        record::codec::{Format, Shape},
    };

    use super::*;

    fn json<P: Wire>(arguments: impl Fits<P>) -> String {
        let mut args = Args::new(Format::Json);
        arguments.write(&mut args);
        let shape = if P::IS_LIST { Shape::List } else { Shape::Values };
        String::from_utf8(args.finish(shape, P::COUNT).unwrap()).unwrap()
    }

    #[test]
    fn options_that_are_left_out_are_null() {
        type Three = (String, Option<i64>, Option<bool>);
        assert_eq!(json::<Three>(("a",)), r#"["a",null,null]"#);
        assert_eq!(json::<Three>(("a", 1)), r#"["a",1,null]"#);
        assert_eq!(json::<Three>(("a", None::<i64>, true)), r#"["a",null,true]"#);
        assert_eq!(json::<(Option<i64>,)>(()), "null");
        assert_eq!(json::<(Option<i64>, Option<i64>)>(()), "[null,null]");
    }

    #[test]
    fn a_single_argument_is_written_alike_with_and_without_its_tuple() {
        assert_eq!(json::<(i64,)>(7), json::<(i64,)>((7,)));
        assert_eq!(json::<(String,)>("a"), json::<(String,)>(("a",)));
        assert_eq!(json::<(Option<u8>,)>(7), json::<(Option<u8>,)>((7,)));
        assert_eq!(json::<((f64, f64),)>(&(1.5, 2.5)), "[1.5,2.5]");
    }

    #[test]
    fn a_list_is_an_array_of_any_length() {
        assert_eq!(json::<List<i64>>((1, 2)), "[1,2]");
        assert_eq!(json::<List<i64>>([1]), "[1]");
        assert_eq!(json::<List<String>>(&["a", "b"]), r#"["a","b"]"#);
        assert_eq!(json::<List<i64>>(&vec![1, 2]), "[1,2]");
        assert_eq!(json::<List<i64>>(()), "[]");
    }
}
