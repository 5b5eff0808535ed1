//! What `if` and `else` make of an outcome, and what a run makes of its own.

use crate::failure::Failure;

use super::{CallError, Stored};

type Outcome<T> = Result<Stored<T>, CallError>;

/// `else`: the value instead of a failure.
pub fn or<T>(asked: Outcome<T>, otherwise: impl FnOnce() -> T) -> Outcome<T> {
    or_if(Some(asked), otherwise)
}

/// `if` with `else`: the value instead of a failure, and instead of asking.
pub fn or_if<T>(asked: Option<Outcome<T>>, otherwise: impl FnOnce() -> T) -> Outcome<T> {
    Ok(asked.and_then(Result::ok).unwrap_or_else(|| Stored::otherwise(otherwise())))
}

/// `if` without `else`, when it was true.
pub fn some<T>(asked: Outcome<T>) -> Outcome<Option<T>> {
    asked.map(Stored::some)
}

/// `if` without `else`, when it was false.
pub fn none<T>() -> Outcome<Option<T>> {
    Ok(Stored::none())
}

/// The end of a graph, for its reactor.
///
/// # Errors
/// When a node failed and no parameter takes the failure.
pub fn ran(run: Result<(), CallError>) -> Result<(), Failure> {
    run.map_err(CallError::into_failure)
}
