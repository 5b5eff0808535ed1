//! What a `window!` attribute says.

use std::time::Duration;

use crate::contract::Link;

use super::{Gathered, Merged};

/// What a `#[reactor(window! ..)]` attribute says: [`WindowReactor::SPEC`](super::WindowReactor::SPEC).
#[derive(Clone, Copy, Debug)]
pub struct WindowSpec {
    /// How the reactor is called in internal topics, metrics and logs.
    pub name: &'static str,
    /// The topics of all sources, in the order of the declaration.
    pub topics: &'static [&'static str],
    /// Which windows a record belongs to.
    pub kind: Kind,
    /// How long a window stays open for records that come late.
    pub grace: Duration,
    /// A window fires once every topic has spoken for its key.
    pub complete: bool,
    /// When the handler runs.
    pub emit: Emit,
    /// After how much silence a partition no longer holds time back; `None`: never. It is also how long a reader's word
    /// about time holds, so it must be several times the commit interval and how far members' clocks are apart.
    pub idle: Option<Duration>,
    /// How far ahead of the clock a record may be and still move time; `None`: any distance.
    pub max_future: Option<Duration>,
    /// The topic that gets what came too late.
    pub late: Option<&'static str>,
    /// The sources are partitioned by the key already.
    pub copartitioned: bool,
    /// How much may be open.
    pub max_open: MaxOpen,
    /// The topics that the handler's graph asks.
    pub asks: &'static [&'static str],
    /// The topic that gets each result.
    pub to: Option<&'static str>,
    /// `None` is not sent to `to`.
    pub optional: bool,
    /// Bounds one run of the handler, graph included.
    pub within: Duration,
    /// Further attempts of a failed run.
    pub retry: u32,
}

/// Which windows a record belongs to. All lengths are in event time, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Windows of this size, one after the other.
    Tumbling {
        /// From the start to the end of one.
        size: Duration,
    },
    /// Windows of this size that overlap.
    Hopping {
        /// From the start to the end of one.
        size: Duration,
        /// From the start of one to the start of the next.
        advance: Duration,
    },
    /// A window for each set of records that are at most this far apart.
    Sliding {
        /// From the start to the end of one, both included.
        size: Duration,
    },
    /// A window for each run of records without a larger gap.
    Session {
        /// The largest distance of two neighbours.
        gap: Duration,
        /// The largest distance of the first and the last.
        longest: Duration,
    },
}

/// When the handler of a window runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emit {
    /// Once, when the window fires.
    #[default]
    Final,
    /// After each record.
    Updates,
}

/// How much a window may hold for each partition; `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxOpen {
    /// Open windows, each key's counted for itself, and those that fired early until they close. A hopping window counts for
    /// each size / advance of it that a key has.
    pub keys: Option<u64>,
    /// Bytes of the records that open windows hold.
    pub bytes: Option<u64>,
}

impl MaxOpen {
    /// What is more than it allows, in words, and what to do.
    pub(crate) fn exceeded(&self, keys: u64, bytes: u64) -> Option<String> {
        let what = match (self.keys, self.bytes) {
            (Some(most), _) if keys > most => {
                format!("{keys} windows are open, more than `max_open(keys = {most})`")
            }
            (_, Some(most)) if bytes > most => {
                format!("open windows hold {bytes} bytes, more than `max_open(bytes = {most})`")
            }
            _ => return None,
        };
        Some(format!(
            "{what} allows in a partition. Raise `max_open`; or make windows shorter or give the topics more partitions, \
             both under another `name`"
        ))
    }
}

impl WindowSpec {
    /// The defaults.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        topics: &'static [&'static str],
        kind: Kind,
        grace: Duration,
    ) -> Self {
        WindowSpec {
            name,
            topics,
            kind,
            grace,
            complete: false,
            emit: Emit::Final,
            idle: Some(Duration::from_secs(10)),
            max_future: Some(Duration::from_secs(300)),
            late: None,
            copartitioned: false,
            max_open: MaxOpen { keys: None, bytes: None },
            asks: &[],
            to: None,
            optional: false,
            within: Duration::from_secs(30),
            retry: 3,
        }
    }

    /// What the check of a list of reactors looks at.
    #[doc(hidden)]
    pub const fn link(&self) -> Link {
        Link {
            name: self.name,
            topic: "",
            gathers: self.topics,
            alone: self.copartitioned,
            asks: self.asks,
            to: self.to,
            late: self.late,
        }
    }
}

/// `tumbling = size`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Tumbling;
/// `hopping = size`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Hopping;
/// `sliding = size`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sliding;
/// `session = gap`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sessions;

/// What a kind of window asks of what it gathers.
#[doc(hidden)]
pub trait Strategy<G: Gathered>: Send + Sync + 'static {
    /// A second one of an item, for the kinds whose windows overlap.
    fn copy(item: &G::Item) -> Option<G::Item>;
    /// One session of two; never called for other kinds, which lose nothing by it.
    fn merge(_into: &mut G, _other: G) {}
}

impl<G: Gathered> Strategy<G> for Tumbling {
    fn copy(_: &G::Item) -> Option<G::Item> {
        None
    }
}

impl<G: Gathered<Item: Clone>> Strategy<G> for Hopping {
    fn copy(item: &G::Item) -> Option<G::Item> {
        Some(item.clone())
    }
}

impl<G: Gathered<Item: Clone>> Strategy<G> for Sliding {
    fn copy(item: &G::Item) -> Option<G::Item> {
        Some(item.clone())
    }
}

impl<G: Merged> Strategy<G> for Sessions {
    fn copy(_: &G::Item) -> Option<G::Item> {
        None
    }
    fn merge(into: &mut G, other: G) {
        into.merge(other);
    }
}
