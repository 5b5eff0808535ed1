//! Windows: what `window!` makes of a handler that gathers from several topics, one result per key and window.
//!
//! `#[reactor(window! < .. >)]` implements [`WindowReactor`]: how a record of each source is read, what the sources
//! gather, and the run of the handler once a window fires. [`WindowSpec`] is everything else that the attribute says.

mod gather;
mod hand_in;
mod reactor;
mod source;
mod spec;

#[doc(hidden)]
pub use crate::reactor::Context;
pub use gather::{Gather, Gathered, Gathers, InOrder, Joins, Last, Merge, Merged, Merges, Place};
pub use hand_in::{Reason, Window};
pub use reactor::{EventTime, Read, Unread, WindowReactor, millis};
pub use source::{
    Copied, CopiedClone, CopiedNot, Copies, Decodes, GatheredAs, GroupKey, HeldTwice, ItemType, KeyOf,
    KeyType, Keyed, KeyedAlways, KeyedMaybe, Known, Overlaps, ReadRecord, Reads, RecordOf, Records, Repeats,
    SameRecord, Taker, TakerKnown, TakerUnknown, of, read, records, stranger,
};
pub use spec::{Emit, Hopping, Kind, MaxOpen, Sessions, Sliding, Strategy, Tumbling, WindowSpec};
