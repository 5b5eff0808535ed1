//! What a node's name is in an expression: the answer by value when it is `Copy`, by reference otherwise.

/// Chooses by autoref: [`SeenByCopy`] is implemented for a reference more, so it is found first when
/// called on `&&Seen(..)`, and is there for `Copy` types only.
#[derive(Debug)]
pub struct Seen<'a, T: ?Sized>(pub &'a T);

/// By reference.
pub trait SeenByRef<'a, T: ?Sized> {
    /// The answer.
    fn seen(&self) -> &'a T;
}

impl<'a, T: ?Sized> SeenByRef<'a, T> for Seen<'a, T> {
    fn seen(&self) -> &'a T {
        self.0
    }
}

/// By value.
pub trait SeenByCopy<T> {
    /// The answer.
    fn seen(&self) -> T;
}

impl<T: Copy> SeenByCopy<T> for &Seen<'_, T> {
    fn seen(&self) -> T {
        *self.0
    }
}
