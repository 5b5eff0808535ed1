//! What `for` and `..` go through when they name a place: it is borrowed if that can be iterated, and copied
//! otherwise, as a slice is. Chosen by autoref, called on `&&Items(..)`.

/// A place.
#[derive(Debug)]
pub struct Items<'a, T: ?Sized>(pub &'a T);

/// The place is borrowed.
pub trait ItemsByRef<'a, T: ?Sized> {
    /// What is iterated.
    fn items(&self) -> &'a T;
}

impl<'a, T: ?Sized> ItemsByRef<'a, T> for &Items<'a, T>
where
    &'a T: IntoIterator,
{
    fn items(&self) -> &'a T {
        self.0
    }
}

/// The place is a reference or an iterator that can be copied. It is found last, so what can be iterated in no
/// way is told here.
pub trait ItemsByCopy<T> {
    /// What is iterated.
    fn items(&self) -> T
    where
        T: Iterable;
}

impl<T> ItemsByCopy<T> for Items<'_, T> {
    fn items(&self) -> T
    where
        T: Iterable,
    {
        T::copied(self.0)
    }
}

/// Can be iterated and copied.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be iterated where it is",
    label = "neither `&{Self}` nor a copy of it is an iterator",
    note = "write `.iter()` or `.clone()` behind it"
)]
pub trait Iterable: IntoIterator {
    /// The copy.
    fn copied(this: &Self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: IntoIterator + Copy> Iterable for T {
    fn copied(this: &T) -> T {
        *this
    }
}
