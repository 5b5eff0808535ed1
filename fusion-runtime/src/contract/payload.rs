//! A record's value as the parameters of a handler.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor, value::UnitDeserializer},
};

/// The payload parameters of a reactor, as a tuple.
///
/// None: the value is ignored. One: it is the whole value. Several: an array in order, from which callers
/// may leave out trailing `Option`s.
pub trait Payload: Sized + Send + 'static {
    /// Reads all parameters.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// The parameters of a handler that has none: then the value is not even looked at.
    fn ignored() -> Option<Self> {
        None
    }
}

/// A parameter that can be read from a record, in our words.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a record",
    label = "not `Deserialize` and `Send`",
    note = "derive it: `#[derive(serde::Deserialize)]`",
    note = "if it is handed in, write out its type, or put `#[hand_in]` before the parameter"
)]
#[doc(hidden)]
pub trait Readable: serde::de::DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: serde::de::DeserializeOwned + Send + 'static> Readable for T {}

impl Payload for () {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| ())
    }

    fn ignored() -> Option<Self> {
        Some(())
    }
}

impl<A: Readable> Payload for (A,) {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        A::deserialize(deserializer).map(|a| (a,))
    }
}

/// The next element; one that is left out is `None` for an `Option` and missing for everything else.
fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    elements: &mut A,
    place: usize,
    of: usize,
) -> Result<T, A::Error> {
    match elements.next_element()? {
        Some(value) => Ok(value),
        None => T::deserialize(UnitDeserializer::<A::Error>::new())
            .map_err(|_| A::Error::custom(format_args!("argument {} of {of} is missing", place + 1))),
    }
}

/// Reads no parameters.
#[doc(hidden)]
pub fn read_0<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    <()>::read(deserializer)
}

/// Reads the only parameter. Expansions write each parameter's type as an argument of such a function, so that rustc's
/// caret is under the one that cannot be read.
#[doc(hidden)]
pub fn read_1<'de, A: Readable, D: Deserializer<'de>>(deserializer: D) -> Result<(A,), D::Error> {
    <(A,)>::read(deserializer)
}

macro_rules! payload {
    ($read:ident $count:literal: $($name:ident $i:literal)*) => {
        /// Reads all of them.
        #[doc(hidden)]
        pub fn $read<'de, $($name: Readable,)* De: Deserializer<'de>>(
            deserializer: De,
        ) -> Result<($($name,)*), De::Error> {
            <($($name,)*)>::read(deserializer)
        }

        impl<$($name: Readable),*> Payload for ($($name,)*) {
            fn read<'de, De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
                struct Elements<T>(PhantomData<T>);
                impl<'de, $($name: Readable),*> Visitor<'de> for Elements<($($name,)*)> {
                    type Value = ($($name,)*);
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an array of ", $count, " arguments"))
                    }
                    fn visit_seq<Ac: SeqAccess<'de>>(self, mut elements: Ac) -> Result<Self::Value, Ac::Error> {
                        let arguments = ($(next::<$name, Ac>(&mut elements, $i, $count)?,)*);
                        match elements.next_element::<IgnoredAny>()? {
                            None => Ok(arguments),
                            Some(_) => Err(Ac::Error::custom(concat!("more than ", $count, " arguments"))),
                        }
                    }
                }
                deserializer.deserialize_seq(Elements(PhantomData))
            }
        }
    };
}

payload!(read_2 2: A 0 B 1);
payload!(read_3 3: A 0 B 1 C 2);
payload!(read_4 4: A 0 B 1 C 2 D 3);
payload!(read_5 5: A 0 B 1 C 2 D 3 E 4);
payload!(read_6 6: A 0 B 1 C 2 D 3 E 4 F 5);
payload!(read_7 7: A 0 B 1 C 2 D 3 E 4 F 5 G 6);
payload!(read_8 8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
payload!(read_9 9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 J 8);
payload!(read_10 10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 J 8 K 9);
payload!(read_11 11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 J 8 K 9 L 10);
payload!(read_12 12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 J 8 K 9 L 10 M 11);
