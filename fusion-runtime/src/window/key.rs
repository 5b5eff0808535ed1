//! Keys of windows: all sources of one have keys of one type.

use std::{hash::Hash, marker::PhantomData};

use serde::Serialize;
use smallvec::SmallVec;

use crate::{
    contract::KeyBytes,
    reactor::{HandIn, Key},
};

/// A window's key, as the bytes that its records have. Most are short enough to lie in the tables themselves: a text of an
/// UUID has 36.
#[doc(hidden)]
pub type RecordKey = SmallVec<[u8; 36]>;

/// What can be the key of a window.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a window",
    label = "not `KeyBytes + Serialize + Eq + Hash + Clone + Send`",
    note = "derive or implement what is missing; `KeyBytes` needs no methods: `impl fusion::KeyBytes for {Self} {{}}`",
    note = "if it is no type of your own, a tuple for one, wrap it in one"
)]
pub trait GroupKey: Sized {
    /// The key's bytes.
    fn bytes(&self) -> Option<RecordKey>;
}

#[diagnostic::do_not_recommend]
impl<K: KeyBytes + Serialize + Eq + Hash + Clone + Send + 'static> GroupKey for K {
    fn bytes(&self) -> Option<RecordKey> {
        self.with_key(|key| key.map(RecordKey::from_slice))
    }
}

/// A key as a source has it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the key of this source is `{Self}`, and that of the window is `{K}`",
    label = "expected `{K}` or `Option<{K}>`",
    note = "all sources of a window have one type of key, which is also that of `Key<..>`"
)]
pub trait KeyOf<K> {
    /// The key, if the record has one.
    fn key(&self) -> Option<&K>;
}

#[diagnostic::do_not_recommend]
impl<K> KeyOf<K> for K {
    fn key(&self) -> Option<&K> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl<K> KeyOf<K> for Option<K> {
    fn key(&self) -> Option<&K> {
        self.as_ref()
    }
}

/// The type of a window's keys.
#[doc(hidden)]
pub struct KeyType<K>(PhantomData<fn() -> K>);

impl<K> KeyType<K> {
    /// A type that is written, or one that the first source has.
    #[expect(clippy::new_without_default, reason = "an expansion calls it")]
    pub const fn new() -> Self {
        KeyType(PhantomData)
    }

    /// It is the one that this source has.
    pub const fn is(&self, _: KeyType<K>) {}

    /// The key that a source has.
    pub fn of<'a>(&self, key: &'a impl KeyOf<K>) -> Option<&'a K> {
        key.key()
    }

    /// The bytes of a key.
    pub fn bytes(&self, key: Option<&K>) -> Option<RecordKey>
    where
        K: GroupKey,
    {
        key?.bytes()
    }
}

/// The bytes of a key that the handler takes as `Key<K>`: by autoref nothing is asked of a `K` that cannot be handed in,
/// which is reported there.
#[doc(hidden)]
pub trait TakenKey<K> {
    /// The bytes of a key.
    fn taken(&self, key: Option<&K>) -> Option<RecordKey>
    where
        K: GroupKey;
}

impl<K> TakenKey<K> for &KeyType<K>
where
    Key<K>: HandIn,
{
    fn taken(&self, key: Option<&K>) -> Option<RecordKey>
    where
        K: GroupKey,
    {
        self.bytes(key)
    }
}

/// The other half of [`TakenKey`].
#[doc(hidden)]
pub trait TakenNoKey<K> {
    /// None.
    fn taken(&self, key: Option<&K>) -> Option<RecordKey>;
}

impl<K> TakenNoKey<K> for KeyType<K> {
    fn taken(&self, _: Option<&K>) -> Option<RecordKey> {
        None
    }
}

/// Finds the type of keys that a source has, in the first one: by autoref, `Option<K>` gives `K`, any other type
/// itself.
#[doc(hidden)]
pub struct Keyed<'a, V>(pub &'a V);

/// The better half of [`Keyed`], found first.
#[doc(hidden)]
pub trait KeyedMaybe<K> {
    /// The type of keys.
    fn ty(&self) -> KeyType<K>;
}

impl<K> KeyedMaybe<K> for &Keyed<'_, Option<K>> {
    fn ty(&self) -> KeyType<K> {
        KeyType::new()
    }
}

/// The other half of [`Keyed`].
#[doc(hidden)]
pub trait KeyedAlways<K> {
    /// The type of keys.
    fn ty(&self) -> KeyType<K>;
}

impl<K> KeyedAlways<K> for Keyed<'_, K> {
    fn ty(&self) -> KeyType<K> {
        KeyType::new()
    }
}

impl<K> std::fmt::Debug for KeyType<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyType")
    }
}

impl<V> std::fmt::Debug for Keyed<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed")
    }
}
