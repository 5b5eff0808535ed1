//! The arguments of a request, as a test sees them.

use serde::de::DeserializeOwned;

use crate::{
    contract::{Contract, Envelope, List, Payload, Wire},
    record::{
        codec::{Codec, CodecError, Format},
        wire::only_element,
    },
};

/// The parameters of a contract as values: `Vec<T>` for a list, the value itself for a single parameter, a tuple for
/// none or several. It is what [`Tester::answer`](super::Tester::answer) gives to a closure.
#[diagnostic::on_unimplemented(
    message = "the parameters `{Self}` cannot be read in a test",
    label = "not `Deserialize` and `Send`",
    note = "derive it: `#[derive(serde::Deserialize)]`"
)]
pub trait Arguments: Wire {
    /// That form.
    type Values: Send + 'static;

    /// Reads a request's value.
    #[doc(hidden)]
    fn read(bytes: &[u8], envelope: Envelope) -> Result<Self::Values, CodecError>;
}

/// What a request to `C` was asked with.
pub(super) fn read<C: Contract<Params: Arguments>>(
    bytes: &[u8],
) -> Result<<C::Params as Arguments>::Values, CodecError> {
    <C::Params as Arguments>::read(bytes, C::ENVELOPE)
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> Arguments for List<T> {
    type Values = Vec<T>;
    fn read(bytes: &[u8], _: Envelope) -> Result<Vec<T>, CodecError> {
        Format::Json.decode(bytes)
    }
}

#[diagnostic::do_not_recommend]
impl<A: DeserializeOwned + Send + 'static> Arguments for (A,) {
    type Values = A;
    fn read(bytes: &[u8], envelope: Envelope) -> Result<A, CodecError> {
        let only = match envelope {
            Envelope::Headers => None,
            // fusion-clj always writes an array.
            Envelope::Json => only_element(bytes),
        };
        Format::Json.decode(only.unwrap_or(bytes))
    }
}

macro_rules! arguments {
    ($($name:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: DeserializeOwned + Send + 'static),*> Arguments for ($($name,)*) {
            type Values = ($($name,)*);
            fn read(bytes: &[u8], _: Envelope) -> Result<Self::Values, CodecError> {
                Format::Json.decode::<Whole<Self::Values>>(bytes).map(|whole| whole.0)
            }
        }
    };
}

/// A payload, through `Deserialize`.
struct Whole<P>(P);

impl<'de, P: Payload> serde::Deserialize<'de> for Whole<P> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        P::read(deserializer).map(Whole)
    }
}

arguments!();
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
arguments!(A B C D E F G);
arguments!(A B C D E F G H);
arguments!(A B C D E F G H J);
arguments!(A B C D E F G H J K);
arguments!(A B C D E F G H J K L);
arguments!(A B C D E F G H J K L M);
