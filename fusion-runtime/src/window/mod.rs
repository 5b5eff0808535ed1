//! Windows: what `window!` makes of a handler that gathers from several topics, one result per key and window.
//!
//! `#[reactor(window! < .. >)]` implements [`WindowReactor`]: how a record of each source is read, what the sources
//! gather, and the run of the handler once a window fires. [`WindowSpec`] is everything else that the attribute says.

mod copartition;
#[doc(hidden)]
pub mod core;
mod cuts;
mod declaration;
mod drain;
mod due;
mod ends;
mod gather;
mod gathering;
mod hand_in;
mod intake;
mod key;
mod letter;
mod log;
mod metrics;
mod missing;
mod observed;
mod reactor;
mod source;
mod spec;
mod trim;
mod typed;

#[doc(hidden)]
pub use crate::reactor::Context;
pub(crate) use copartition::{Copartition, check, check_keeps};
pub use core::LateReason;
pub(crate) use ends::Ends;
pub use gather::{Gather, Gathered, Gathers, InOrder, Joins, Last, Merge, Merged, Merges, Place};
pub(crate) use gathering::{Gatherings, check_declaration};
pub use hand_in::{Reason, Window};
pub(crate) use intake::{Intake, Target, too_many};
pub use key::{GroupKey, KeyOf, KeyType, Keyed, KeyedAlways, KeyedMaybe, RecordKey, TakenKey, TakenNoKey};
pub(crate) use log::{check_log, log_config};
pub use metrics::{HeldBack, HeldBackReason, WindowLog, WindowMetrics, WindowPartition, WindowTopic};
pub use missing::{GathersNot, Gives, Missing, Never, Of, Parameter, gathers};
pub use observed::Skipped;
pub use reactor::{EventTime, Read, Unread, WindowReactor, millis};
pub use source::{
    Copied, CopiedClone, CopiedNot, Copies, Decodes, GatheredAs, HeldTwice, ItemType, Overlaps, ReadRecord,
    RecordOf, Records, Repeats, SameRecord, Taker, TakerKnown, TakerUnknown, of, read, records, stranger,
};
pub use spec::{Emit, Hopping, Kind, MaxOpen, Sessions, Sliding, Strategy, Tumbling, WindowSpec};
pub(crate) use trim::Trims;
pub(crate) use typed::{AnyWindow, Declared, Typed};

use crate::{
    Error, clock,
    consume::Taken,
    failure::{Code, Failure},
    record::{HeadersRef, codec::Format, wire::name},
};

/// What to do about a log that another declaration wrote, or other partitions.
const ANEW: &str = "Give the window another `name` to begin anew";

/// A record's value, about to be read in the format that its headers name.
fn unread<'a>(value: Option<&'a [u8]>, headers: HeadersRef<'_>) -> Result<Unread<'a>, Failure> {
    let named = headers.iter().filter(|(name, _)| *name == name::CONTENT_TYPE.as_bytes()).last();
    let Some(named) = named.and_then(|(_, value)| value) else {
        return Ok(Unread { value, format: Format::Json });
    };
    let text = String::from_utf8_lossy(named);
    match Format::from_content_type(&text) {
        Some(format) => Ok(Unread { value, format }),
        None => Err(Failure::new(Code::Decode, format!("no codec for the content type `{text}`"))),
    }
}

/// Ends the app if the worker of a partition is ending by a panic: nobody else would serve it, or say so.
fn fail_if_panicking(taken: &Taken, name: &'static str, offset: i64) {
    if std::thread::panicking() {
        let reason = "the partition's worker panicked, in the `Drop` of something that is gathered or by a mistake of \
                      fusion's: what the panic said is in the process's error output";
        taken.fail(Error::Window { name, partition: taken.partition, offset, reason: reason.to_owned() });
    }
}

/// A window's name in a few letters, FNV-1a.
fn short_hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
