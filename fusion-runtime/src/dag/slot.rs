//! The place of a node's outcome.

use std::{
    future::poll_fn,
    marker::PhantomData,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
};

use crate::{
    contract::Topic,
    failure::{Code, Failure},
};

use super::{CallError, FromOutcome, Stored, Terms};

/// A node that asks once.
#[derive(Debug)]
pub struct One;
/// A node with `if` and without `else`.
#[derive(Debug)]
pub struct Maybe;
/// A node with `for`.
#[derive(Debug)]
pub struct Each;
/// A node with `if` and `for`.
#[derive(Debug)]
pub struct MaybeEach;

/// The place of a node's outcome: written once, by the node; read by those that depend on it, and at the
/// end by the handler's parameter.
///
/// Reading wakes nobody: all nodes of a run are polled together, the writer before its readers.
#[derive(Debug)]
pub struct Slot<T, K> {
    node: &'static str,
    outcome: OnceLock<Result<Stored<T>, CallError>>,
    takes_failure: AtomicBool,
    takes_sent: AtomicBool,
    kind: PhantomData<fn() -> K>,
}

/// How a slot's outcome becomes the parameter `P`. It is asked for before the run, so that the nodes know
/// what is wanted of them, and used behind it.
#[derive(Debug)]
pub struct Taker<T, K, P>(fn(Result<Stored<T>, CallError>) -> Result<P, CallError>, PhantomData<fn() -> K>);

impl<T, K> Slot<T, K> {
    fn new(node: &'static str) -> Self {
        Slot {
            node,
            outcome: OnceLock::new(),
            takes_failure: AtomicBool::new(false),
            takes_sent: AtomicBool::new(false),
            kind: PhantomData,
        }
    }

    /// Declares that the outcome becomes a parameter of type `P`.
    pub fn taken_as<P: FromOutcome<T, K>>(&self) -> Taker<T, K, P> {
        self.takes_failure.store(P::TAKES_FAILURE, Relaxed);
        self.takes_sent.store(P::TAKES_SENT, Relaxed);
        Taker(P::from_outcome, PhantomData)
    }

    /// How the node asks, unless it says otherwise; its place in the graph is `index`.
    pub fn terms(&self, index: u32) -> Terms {
        Terms::node(index).tell(self.takes_sent.load(Relaxed))
    }

    /// Waits for the answer, for a node that depends on this one.
    ///
    /// # Errors
    /// When this node failed: what depends on it is not sent.
    pub async fn get(&self) -> Result<&T, CallError> {
        let outcome = poll_fn(|_| match self.outcome.get() {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        })
        .await;
        match outcome {
            Ok(stored) => Ok(&stored.value),
            Err(error) => Err(CallError::new(
                Code::Dependency,
                error.topic(),
                format!("not sent, since node `{}` failed: {}", self.node, error.message()),
            )
            .with_retryable(error.is_retryable())),
        }
    }

    /// Writes the outcome. A failure that no parameter takes is returned: it ends the run.
    pub(super) fn set(&self, outcome: Result<Stored<T>, CallError>) -> Result<(), CallError> {
        let outcome = outcome.map_err(|error| error.at_node(self.node));
        let fatal = match &outcome {
            Err(error) if !self.takes_failure.load(Relaxed) => Err(error.clone()),
            _ => Ok(()),
        };
        // A node's future ends once, so nobody was here before.
        let _ = self.outcome.set(outcome);
        fatal
    }

    fn into_outcome(self) -> Result<Stored<T>, CallError> {
        self.outcome.into_inner().unwrap_or_else(|| {
            Err(CallError::new(Code::Dependency, "", format!("node `{}` was not evaluated", self.node)))
        })
    }

    /// The answer itself, for `deps!` as an expression.
    ///
    /// # Errors
    /// When the node failed; a run that ended well has none of these.
    pub fn into_value(self) -> Result<T, CallError> {
        self.into_outcome().map(|stored| stored.value)
    }
}

impl<T, K, P> Taker<T, K, P> {
    /// The parameter.
    ///
    /// # Errors
    /// When the node failed and `P` takes no failure.
    pub fn take(self, slot: Slot<T, K>) -> Result<P, Failure> {
        (self.0)(slot.into_outcome()).map_err(CallError::into_failure)
    }
}

impl<C: crate::contract::Contract> Topic<C> {
    /// The slot of a node that asks this topic once.
    #[doc(hidden)]
    pub fn one(&self, node: &'static str) -> Slot<C::Reply, One> {
        Slot::new(node)
    }

    /// The slot of a node with `if`.
    #[doc(hidden)]
    pub fn maybe(&self, node: &'static str) -> Slot<Option<C::Reply>, Maybe> {
        Slot::new(node)
    }

    /// The slot of a node with `for`.
    #[doc(hidden)]
    pub fn each(&self, node: &'static str) -> Slot<Vec<C::Reply>, Each> {
        Slot::new(node)
    }

    /// The slot of a node with `if` and `for`.
    #[doc(hidden)]
    pub fn maybe_each(&self, node: &'static str) -> Slot<Option<Vec<C::Reply>>, MaybeEach> {
        Slot::new(node)
    }
}
