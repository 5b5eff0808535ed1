//! From what a node was answered to what the handler's parameter wants.

use std::time::Duration;

use serde_json::Value;

use crate::record::codec::{Codec, Format};

use super::{
    CallError,
    slot::{Each, Maybe, MaybeEach, One},
};

/// An answer together with the request behind it.
///
/// A handler that takes `Answer<T>` for a node learns where the request went and how long the answer took;
/// `Option<Answer<T>>` for a node with `if`, `Vec<Answer<T>>` for one with `for`.
///
/// ```
/// use fusion::prelude::*;
///
/// #[reactor(topic = "add")]
/// fn add(numbers: Vec<i64>) -> i64 {
///     numbers.iter().sum()
/// }
///
/// #[reactor(topic = "explain", deps! < sum: "add"(1, 2) else 0 >)]
/// fn explain(sum: Answer<i64>) -> String {
///     match sum.sent {
///         Some(sent) => format!("{} of {} is {}", sent.topic, sent.arguments(), sum.value),
///         None => format!("nobody answered, so {}", sum.value),
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// # let config = Config::embedded()?;
/// # let app = App::new("math", config.clone()).reactors(reactors![add, explain]).start().await?;
/// # let pipeline = Pipeline::connect("caller", config).await?;
/// assert_eq!(pipeline.ask::<explain>(()).await?, "add of [1,2] is 3");
/// # pipeline.close().await?;
/// # app.shutdown().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was answered, or the value of `else`.
    pub value: T,
    /// The request, `None` where `else` stepped in.
    pub sent: Option<Sent>,
}

/// A request that was answered: where it was written, what it said, and how long its answer took.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The topic that was asked.
    pub topic: &'static str,
    /// The partition that the request was written to.
    pub partition: i32,
    /// The request's offset there.
    pub offset: i64,
    /// From the first attempt to the answer.
    pub elapsed: Duration,
    pub(crate) arguments: Vec<u8>,
    pub(crate) format: Format,
}

impl Sent {
    /// The arguments as they went over the wire: nothing, one value, or an array.
    pub fn arguments(&self) -> Value {
        // These bytes were written by the same codec; should they not read back, `null` is the honest rest.
        self.format.decode(&self.arguments).unwrap_or_default()
    }
}

/// What a slot holds: the value, and for those who want [`Answer`]s, the requests behind it.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    pub(super) value: T,
    // Empty unless somebody takes an `Answer`; then one entry per request.
    pub(super) sent: Vec<Option<Sent>>,
}

impl<T> Stored<T> {
    /// A value without a request, from `else`.
    pub fn otherwise(value: T) -> Self {
        Stored { value, sent: Vec::new() }
    }

    pub(crate) fn answered(value: T, sent: Option<Sent>) -> Self {
        Stored { value, sent: sent.map(|sent| vec![Some(sent)]).unwrap_or_default() }
    }

    /// The answer of a node whose `if` was true.
    pub fn some(self) -> Stored<Option<T>> {
        Stored { value: Some(self.value), sent: self.sent }
    }
}

impl<T> Stored<Option<T>> {
    /// The answer of a node whose `if` was false.
    pub fn none() -> Self {
        Stored { value: None, sent: Vec::new() }
    }
}

/// A handler's parameter, made from what node of kind `K` was answered, `T`.
#[diagnostic::on_unimplemented(
    message = "this node answers `{T}`, but the parameter is `{Self}`",
    label = "expected `{T}`, `Result<{T}, CallError>` or `Answer<{T}>`"
)]
pub trait FromOutcome<T, K>: Sized {
    /// The handler runs although the node failed.
    const TAKES_FAILURE: bool = false;
    /// The requests are wanted too, not only what was answered.
    const TAKES_SENT: bool = false;
    /// The parameter.
    fn from_outcome(outcome: Result<Stored<T>, CallError>) -> Result<Self, CallError>;
}

#[diagnostic::do_not_recommend]
impl<T, K> FromOutcome<T, K> for T {
    fn from_outcome(outcome: Result<Stored<T>, CallError>) -> Result<T, CallError> {
        outcome.map(|stored| stored.value)
    }
}

#[diagnostic::do_not_recommend]
impl<T, K> FromOutcome<T, K> for Result<T, CallError> {
    const TAKES_FAILURE: bool = true;
    fn from_outcome(outcome: Result<Stored<T>, CallError>) -> Result<Self, CallError> {
        Ok(outcome.map(|stored| stored.value))
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromOutcome<T, One> for Answer<T> {
    const TAKES_SENT: bool = true;
    fn from_outcome(outcome: Result<Stored<T>, CallError>) -> Result<Self, CallError> {
        outcome.map(|mut stored| Answer { value: stored.value, sent: stored.sent.pop().flatten() })
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromOutcome<Option<T>, Maybe> for Option<Answer<T>> {
    const TAKES_SENT: bool = true;
    fn from_outcome(outcome: Result<Stored<Option<T>>, CallError>) -> Result<Self, CallError> {
        let mut stored = outcome?;
        let sent = stored.sent.pop().flatten();
        Ok(stored.value.map(|value| Answer { value, sent }))
    }
}

/// Pairs items with their requests; an item that `else` made has none.
fn answers<T>(values: Vec<T>, sent: Vec<Option<Sent>>) -> Vec<Answer<T>> {
    let sent = sent.into_iter().chain(std::iter::repeat(None));
    values.into_iter().zip(sent).map(|(value, sent)| Answer { value, sent }).collect()
}

#[diagnostic::do_not_recommend]
impl<T> FromOutcome<Vec<T>, Each> for Vec<Answer<T>> {
    const TAKES_SENT: bool = true;
    fn from_outcome(outcome: Result<Stored<Vec<T>>, CallError>) -> Result<Self, CallError> {
        outcome.map(|stored| answers(stored.value, stored.sent))
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromOutcome<Option<Vec<T>>, MaybeEach> for Option<Vec<Answer<T>>> {
    const TAKES_SENT: bool = true;
    fn from_outcome(outcome: Result<Stored<Option<Vec<T>>>, CallError>) -> Result<Self, CallError> {
        outcome.map(|stored| stored.value.map(|values| answers(values, stored.sent)))
    }
}

/// The same for those that take the failure too.
macro_rules! results {
    ($($kind:ty: $outcome:ty => $parameter:ty;)*) => {
        $(#[diagnostic::do_not_recommend]
        impl<T> FromOutcome<$outcome, $kind> for Result<$parameter, CallError> {
            const TAKES_FAILURE: bool = true;
            const TAKES_SENT: bool = true;
            fn from_outcome(outcome: Result<Stored<$outcome>, CallError>) -> Result<Self, CallError> {
                Ok(FromOutcome::<$outcome, $kind>::from_outcome(outcome))
            }
        })*
    };
}

results! {
    One: T => Answer<T>;
    Maybe: Option<T> => Option<Answer<T>>;
    Each: Vec<T> => Vec<Answer<T>>;
    MaybeEach: Option<Vec<T>> => Option<Vec<Answer<T>>>;
}
