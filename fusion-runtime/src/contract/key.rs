//! A record's key as a value.

use serde::{Serialize, de::DeserializeOwned};

/// A key's bytes did not have the expected form, or there were none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The record has no key; `Key<Option<K>>` accepts that.
    #[error("the record has no key")]
    Missing,
    /// The key is not one of the expected type.
    #[error("the key is not a {expected}: {reason}")]
    Malformed {
        /// The type that was asked for.
        expected: &'static str,
        /// What is wrong with the bytes.
        reason: String,
    },
}

/// A type that can be a record's key: `String`, `str`, `Uuid` and integers as UTF-8 text, `Vec<u8>` and `[u8]` as they
/// are, everything else as JSON. A reference is the key that it leads to, but no record's key can be read as one.
///
/// ```
/// use fusion::KeyBytes;
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// struct Car { country: String, plate: String }
/// impl KeyBytes for Car {}
///
/// let car = Car { country: "PT".into(), plate: "AA-01-BB".into() };
/// let bytes = car.to_key().unwrap();
/// assert_eq!(Car::from_key(Some(&bytes)).unwrap(), car);
/// assert_eq!(42_i64.to_key().unwrap(), b"42");
/// assert_eq!("AA-01-BB".to_key().unwrap(), b"AA-01-BB");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record's key",
    label = "not `KeyBytes`",
    note = "if it is a type of your own, implement it, which needs no methods: `impl fusion::KeyBytes for {Self} {{}}`",
    note = "if it is not, a tuple for one, wrap it in a type of your own"
)]
pub trait KeyBytes {
    /// The key's bytes, `None` for a record without a key.
    fn to_key(&self) -> Option<Vec<u8>>
    where
        Self: Serialize,
    {
        serde_json::to_vec(self).ok()
    }

    /// Shows the key's bytes, as [`to_key`](KeyBytes::to_key) gives them, to `look`. Types whose bytes lie ready spare
    /// the copy.
    #[doc(hidden)]
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R
    where
        Self: Serialize,
    {
        look(self.to_key().as_deref())
    }

    /// The key of a record.
    ///
    /// # Errors
    /// When the bytes are not this type's, or there is no key and the type needs one.
    fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError>
    where
        Self: DeserializeOwned,
    {
        let bytes = key.ok_or(KeyError::Missing)?;
        serde_json::from_slice(bytes).map_err(|e| malformed::<Self>(&e))
    }
}

fn malformed<K>(reason: &dyn std::fmt::Display) -> KeyError {
    KeyError::Malformed { expected: std::any::type_name::<K>(), reason: reason.to_string() }
}

/// Keys whose bytes are the text that `Display` writes and `FromStr` reads.
macro_rules! text_keys {
    ($($key:ty),*) => {
        $(impl KeyBytes for $key {
            fn to_key(&self) -> Option<Vec<u8>> {
                Some(self.to_string().into_bytes())
            }
            fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError> {
                let text = std::str::from_utf8(key.ok_or(KeyError::Missing)?).map_err(|e| malformed::<Self>(&e))?;
                text.parse().map_err(|e| malformed::<Self>(&e))
            }
        })*
    };
}

text_keys!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);
#[cfg(feature = "kafka")]
text_keys!(uuid::Uuid);

impl KeyBytes for String {
    fn to_key(&self) -> Option<Vec<u8>> {
        self.as_str().to_key()
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        look(Some(self.as_bytes()))
    }
    fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(key.ok_or(KeyError::Missing)?);
        text.map(str::to_owned).map_err(|e| malformed::<Self>(&e))
    }
}

impl KeyBytes for str {
    fn to_key(&self) -> Option<Vec<u8>> {
        Some(self.as_bytes().to_vec())
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        look(Some(self.as_bytes()))
    }
}

impl KeyBytes for [u8] {
    fn to_key(&self) -> Option<Vec<u8>> {
        Some(self.to_vec())
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        look(Some(self))
    }
}

impl<K: KeyBytes + Serialize + ?Sized> KeyBytes for &K {
    fn to_key(&self) -> Option<Vec<u8>> {
        (**self).to_key()
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        (**self).with_key(look)
    }
}

impl KeyBytes for Vec<u8> {
    fn to_key(&self) -> Option<Vec<u8>> {
        Some(self.clone())
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        look(Some(self))
    }
    fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError> {
        Ok(key.ok_or(KeyError::Missing)?.to_vec())
    }
}

impl<K: KeyBytes + Serialize + DeserializeOwned> KeyBytes for Option<K> {
    fn to_key(&self) -> Option<Vec<u8>> {
        self.as_ref()?.to_key()
    }
    fn with_key<R>(&self, look: impl FnOnce(Option<&[u8]>) -> R) -> R {
        match self {
            Some(key) => key.with_key(look),
            None => look(None),
        }
    }
    fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError> {
        key.map(|key| K::from_key(Some(key))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(key: impl KeyBytes + Serialize) -> Option<Vec<u8>> {
        key.to_key()
    }

    #[test]
    #[expect(clippy::needless_borrows_for_generic_args, reason = "that they are not in the way is tested")]
    fn a_text_is_its_bytes_however_it_is_held() {
        let text = "k\u{e9}".to_owned();
        for key in [bytes("k\u{e9}"), bytes(&text), bytes(&&*text), bytes(text.clone()), bytes(Some(text))] {
            assert_eq!(key.as_deref(), Some("k\u{e9}".as_bytes()));
        }
    }

    #[test]
    #[expect(clippy::needless_borrows_for_generic_args, reason = "that they are not in the way is tested")]
    fn a_reference_is_what_it_leads_to() {
        assert_eq!(bytes(&-7_i64), bytes(-7_i64));
        assert_eq!(bytes(&[0_u8, 0xff][..]), bytes(vec![0_u8, 0xff]));
        assert_eq!(bytes(&None::<String>), None);
    }
}
