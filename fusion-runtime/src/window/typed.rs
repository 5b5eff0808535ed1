//! A window without its types: what the workers of its partitions call.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    failure::{Code, Failure},
    reactor::HandIns,
};

use super::{Unread, WindowReactor, WindowSpec, observed::Observed};

/// A window of an app, and where its records meet.
pub(crate) struct Declared {
    pub(crate) window: Box<dyn AnyWindow>,
    pub(crate) spec: &'static WindowSpec,
    /// Its re-keyed log.
    pub(crate) log: String,
    /// How many partitions that has.
    pub(crate) partitions: i32,
    pub(crate) observed: Arc<Observed>,
}

/// Where a record belongs.
pub(crate) struct Sorted {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) time: Option<i64>,
}

/// A window reactor of an app.
pub(crate) trait AnyWindow: Send + Sync {
    fn spec(&self) -> &'static WindowSpec;
    /// Whether its handler has a graph, and needs a caller.
    fn calls(&self) -> bool;
    /// Reads where a record of the topic at this place belongs.
    fn sort(&self, topic: usize, value: Unread<'_>, time: Option<i64>) -> Result<Sorted, Failure>;
}

/// The only implementation of [`AnyWindow`].
pub(crate) struct Typed<W>(std::marker::PhantomData<fn() -> W>);

impl<W> Typed<W> {
    pub(crate) const fn new() -> Self {
        Typed(std::marker::PhantomData)
    }
}

impl<W: WindowReactor> AnyWindow for Typed<W> {
    fn spec(&self) -> &'static WindowSpec {
        &W::SPEC
    }

    fn calls(&self) -> bool {
        W::HandIns::CALLS
    }

    fn sort(&self, topic: usize, value: Unread<'_>, time: Option<i64>) -> Result<Sorted, Failure> {
        read::<W>(topic, value, time).map(|read| Sorted { key: read.key, time: read.time })
    }
}

/// Reads a record. What the declaration says of key and time is the user's code, and so is `Deserialize`.
fn read<W: WindowReactor>(
    topic: usize,
    value: Unread<'_>,
    time: Option<i64>,
) -> Result<super::Read<W>, Failure> {
    catch_unwind(AssertUnwindSafe(|| W::read(topic, value, time)))
        .unwrap_or_else(|panic| Err(Failure::new(Code::Decode, panicked(&*panic))))
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("reading the record panicked: {}", text.unwrap_or("(no text)"))
}
