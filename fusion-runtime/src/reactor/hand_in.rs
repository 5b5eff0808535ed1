//! Parameters that do not come from the payload.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use crate::{
    dag::Caller,
    failure::{Code, Failure},
    record::{Headers, RecordRef},
    window::Window,
};

/// One run of a reactor, as its hand-ins see it: what [`HandIn::hand_in`] is given.
pub struct Run<'a> {
    pub(crate) record: RecordRef<'a>,
    pub(crate) reactor: &'static str,
    pub(crate) attempt: u32,
    pub(crate) hops: u32,
    pub(crate) deadline: tokio::time::Instant,
    pub(crate) state: &'a StateMap,
    pub(crate) caller: Option<&'a Caller>,
    /// Of a handler that gathers.
    pub(crate) window: Option<Window>,
}

impl<'a> Run<'a> {
    /// The record that is served.
    pub fn record(&self) -> RecordRef<'a> {
        self.record
    }
}

/// A parameter that is handed in: `State<T>`, `Context`, `Key<K>`, `Headers`, or one of your own.
///
/// ```
/// use fusion::{Failure, HandIn, Run, prelude::*};
///
/// /// The tenant that a record belongs to, from a header of ours.
/// struct Tenant(String);
///
/// impl HandIn for Tenant {
///     fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
///         let headers = run.record().headers.to_owned();
///         let tenant = headers.get_str("tenant").ok_or_else(|| Failure::new("no_tenant", "the header `tenant` is missing").not_retryable())?;
///         Ok(Tenant(tenant.to_owned()))
///     }
/// }
///
/// #[reactor(topic = "orders")]
/// fn orders(#[hand_in] tenant: Tenant, order: u64) -> String {
///     format!("{} ordered {order}", tenant.0)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be handed in",
    label = "not `HandIn`",
    note = "implement `fusion::HandIn` for it; if it is payload, put `#[payload]` before the parameter"
)]
pub trait HandIn: Sized + Send + 'static {
    /// Makes the parameter for one run.
    ///
    /// # Errors
    /// A failure is the run's: it is retried if it says so, then dead-lettered.
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure>;
}

/// All hand-ins of a handler, as a tuple.
pub trait HandIns: Sized + Send + 'static {
    /// Whether the handler has a graph.
    const CALLS: bool = false;
    /// Makes all of them.
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure>;
}

impl HandIns for () {
    fn hand_in(_: &Run<'_>) -> Result<Self, Failure> {
        Ok(())
    }
}

/// A handler with a graph has its caller in front.
#[derive(Debug)]
pub struct Calls<H>(pub Caller, pub H);

impl<H: HandIns> HandIns for Calls<H> {
    const CALLS: bool = true;
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        let caller = run
            .caller
            .cloned()
            .ok_or_else(|| Failure::new(Code::Handler, "this run cannot ask").not_retryable())?;
        Ok(Calls(caller, H::hand_in(run)?))
    }
}

macro_rules! hand_ins {
    ($($name:ident)*) => {
        impl<$($name: HandIn),*> HandIns for ($($name,)*) {
            fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
                Ok(($($name::hand_in(run)?,)*))
            }
        }
    };
}

hand_ins!(A);
hand_ins!(A B);
hand_ins!(A B C);
hand_ins!(A B C D);
hand_ins!(A B C D E);
hand_ins!(A B C D E F);
hand_ins!(A B C D E F G);
hand_ins!(A B C D E F G H);

impl HandIn for Headers {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        Ok(run.record.headers.to_owned())
    }
}

/// What the app's `.state(..)` calls gave, by type.
#[derive(Clone, Default)]
pub struct StateMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl StateMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    pub(super) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }
}

impl std::fmt::Debug for StateMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StateMap({} types)", self.0.len())
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("reactor", &self.reactor)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
