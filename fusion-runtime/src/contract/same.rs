//! A reactor that implements a contract has the contract's signature.

use super::{Contract, List, Wire};

/// The parameter at place `I`, as a handler has it.
#[diagnostic::on_unimplemented(message = "the contract has fewer parameters", label = "unexpected parameter")]
pub trait Parameter<const I: usize> {
    /// The parameter's type.
    type Type;
}

/// A type of the signature is the one of the contract.
#[diagnostic::on_unimplemented(
    message = "the contract has `{Expected}` here, not `{Self}`",
    label = "expected `{Expected}`, found `{Self}`"
)]
pub trait SameAsContract<Expected> {}

#[diagnostic::do_not_recommend]
impl<T> SameAsContract<T> for T {}

#[diagnostic::do_not_recommend]
impl<T> Parameter<0> for List<T> {
    type Type = Vec<T>;
}

/// Requires the parameter at place `I` of `C` to be a `T`.
#[doc(hidden)]
pub const fn same_parameter<C, const I: usize, T>()
where
    C: Contract,
    C::Params: Parameter<I>,
    T: SameAsContract<<C::Params as Parameter<I>>::Type>,
{
}

/// Requires `C` to answer a `T`.
#[doc(hidden)]
pub const fn same_reply<C, T>()
where
    C: Contract,
    T: SameAsContract<C::Reply>,
{
}

/// Fails the build if the contract has more parameters. (Surplus ones are refused each for itself.)
#[doc(hidden)]
#[track_caller]
pub const fn same_count<C: Contract, const N: usize>() {
    let count = if <C::Params as Wire>::IS_LIST { 1 } else { <C::Params as Wire>::COUNT };
    if count > N {
        panic!("the contract has more parameters");
    }
}

macro_rules! parameter {
    ($names:tt $($i:literal $t:ident)*) => {
        $(parameter!(@one $names $i $t);)*
    };
    (@one [$($name:ident)*] $i:literal $t:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$($name),*> Parameter<$i> for ($($name,)*) {
            type Type = $t;
        }
    };
}

parameter!([A] 0 A);
parameter!([A B] 0 A 1 B);
parameter!([A B C] 0 A 1 B 2 C);
parameter!([A B C D] 0 A 1 B 2 C 3 D);
parameter!([A B C D E] 0 A 1 B 2 C 3 D 4 E);
parameter!([A B C D E F] 0 A 1 B 2 C 3 D 4 E 5 F);
parameter!([A B C D E F G] 0 A 1 B 2 C 3 D 4 E 5 F 6 G);
parameter!([A B C D E F G H] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H);
parameter!([A B C D E F G H J] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J);
parameter!([A B C D E F G H J K] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K);
parameter!([A B C D E F G H J K L] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K 10 L);
parameter!([A B C D E F G H J K L M] 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 J 9 K 10 L 11 M);
