//! What `#[reactor(window! ..)]` implements.

use std::{
    future::Future,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::de::DeserializeOwned;

use crate::{
    contract::{Envelope, Payload},
    failure::{Code, Failure},
    reactor::{HandIns, Produces, Sendable},
    record::{
        codec::{Codec, CodecError, Format},
        wire,
    },
};

use super::{Gathered, RecordKey, Strategy, WindowSpec};

/// A handler that gathers from several topics. `#[reactor(window! ..)]` implements it for the type beside the
/// function; it is not written by hand, and what is hidden of it may change.
pub trait WindowReactor: Produces + Send + Sync + 'static {
    /// What its sources gather for one key.
    #[doc(hidden)]
    type Gathered: Gathered;
    /// The kind of its windows.
    #[doc(hidden)]
    type Strategy: Strategy<Self::Gathered>;
    /// The handler's parameters that are neither sources nor nodes, [`Caller`](crate::dag::Caller) for its graph
    /// included.
    #[doc(hidden)]
    type HandIns: HandIns;
    /// What the handler returns when all went well.
    type Value: Sendable;
    /// The state it takes, as a list of types.
    #[doc(hidden)]
    type Needs;
    /// Everything else that the attribute says.
    const SPEC: WindowSpec;

    /// Reads a record of the topic at this place of `SPEC.topics`, whose own time is `time`.
    ///
    /// # Errors
    /// With code `decode`, when the bytes are not what the source says.
    #[doc(hidden)]
    fn read(topic: usize, value: Unread<'_>, time: Option<i64>) -> Result<Read<Self>, Failure>;

    /// A second one of what was gathered, if all of it is `Clone`: for a further attempt, and for updates.
    #[doc(hidden)]
    fn copy(gathered: &Self::Gathered) -> Option<Self::Gathered>;

    /// Runs graph and handler once.
    #[doc(hidden)]
    fn run(
        gathered: Self::Gathered,
        hand_ins: Self::HandIns,
    ) -> impl Future<Output = Result<Self::Value, Failure>> + Send + 'static;
}

/// A record of a source, read.
#[doc(hidden)]
pub struct Read<W: WindowReactor + ?Sized> {
    /// What is gathered.
    pub item: <W::Gathered as Gathered>::Item,
    /// Its key's bytes; a record without a key is skipped.
    pub key: Option<RecordKey>,
    /// Its event time in milliseconds since 1970; a record without one is skipped.
    pub time: Option<i64>,
}

impl<W: WindowReactor + ?Sized> std::fmt::Debug for Read<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Read").field("key", &self.key).field("time", &self.time).finish_non_exhaustive()
    }
}

/// The value of a record, about to be read.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Unread<'a> {
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) format: Format,
}

impl<'a> Unread<'a> {
    /// The value of a record, in the format that its headers name.
    pub const fn new(value: Option<&'a [u8]>, format: Format) -> Self {
        Unread { value, format }
    }

    /// The value inside the envelope, where the topic's contract says that there is one.
    ///
    /// # Errors
    /// With code `decode`, if there is none.
    pub fn opened(self, envelope: Envelope) -> Result<Self, Failure> {
        let value = match envelope {
            Envelope::Headers => self.value,
            Envelope::Json => {
                let opened = wire::Envelope::read(self.value.unwrap_or_default());
                Some(opened.map_err(|error| Failure::new(Code::Decode, error.to_string()))?.data)
            }
        };
        Ok(Unread { value, ..self })
    }

    /// Reads the value as one thing.
    ///
    /// # Errors
    /// With code `decode`.
    pub fn one<T: DeserializeOwned>(self) -> Result<T, Failure> {
        self.format.decode_value(self.value).map_err(undecodable)
    }

    /// Reads the value as several parameters, of which trailing `Option`s may be missing.
    ///
    /// # Errors
    /// With code `decode`.
    pub fn several<P: Payload>(self) -> Result<P, Failure> {
        struct Several<P>(P);
        impl<'de, P: Payload> serde::Deserialize<'de> for Several<P> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                P::read(deserializer).map(Several)
            }
        }
        self.format.decode_value::<Several<P>>(self.value).map(|several| several.0).map_err(undecodable)
    }
}

fn undecodable(error: CodecError) -> Failure {
    Failure::new(Code::Decode, error.to_string())
}

/// What `at` may give: milliseconds since 1970, or a moment; `None` skips the record.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a time",
    label = "expected milliseconds as `i64` or `u64`, a `SystemTime`, or an `Option` of one of them"
)]
pub trait EventTime {
    /// In milliseconds since 1970.
    fn millis(&self) -> Option<i64>;
}

impl EventTime for i64 {
    fn millis(&self) -> Option<i64> {
        Some(*self)
    }
}

impl EventTime for u64 {
    fn millis(&self) -> Option<i64> {
        i64::try_from(*self).ok()
    }
}

impl EventTime for SystemTime {
    fn millis(&self) -> Option<i64> {
        match self.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).ok(),
            // Down, as after it: half a millisecond before 1970 is before 1970.
            Err(before) => {
                let millis = before.duration().as_nanos().div_ceil(1_000_000);
                i64::try_from(millis).ok().map(|millis| -millis)
            }
        }
    }
}

impl<T: EventTime> EventTime for Option<T> {
    fn millis(&self) -> Option<i64> {
        self.as_ref()?.millis()
    }
}

impl<T: EventTime + ?Sized> EventTime for &T {
    fn millis(&self) -> Option<i64> {
        (**self).millis()
    }
}

/// The time that `at` gave.
#[doc(hidden)]
pub fn millis(time: &(impl EventTime + ?Sized)) -> Option<i64> {
    time.millis()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_no_time_is_none() {
        assert_eq!((7_i64.millis(), (-7_i64).millis(), 7_u64.millis()), (Some(7), Some(-7), Some(7)));
        assert_eq!((u64::MAX.millis(), (1_u64 << 63).millis()), (None, None));
        assert_eq!(((1_u64 << 63) - 1).millis(), Some(i64::MAX));
        assert_eq!(
            (Some(7_i64).millis(), None::<i64>.millis(), Some(u64::MAX).millis()),
            (Some(7), None, None)
        );
        assert_eq!(millis(&&Some(&7_i64)), Some(7));
    }

    #[test]
    fn a_moment_is_in_whole_milliseconds_rounded_down() {
        let (half, most) = (Duration::from_micros(500), Duration::from_micros(1_500));
        assert_eq!([half, most].map(|since| (UNIX_EPOCH + since).millis()), [Some(0), Some(1)]);
        assert_eq!([half, most].map(|before| (UNIX_EPOCH - before).millis()), [Some(-1), Some(-2)]);
        assert_eq!((UNIX_EPOCH - Duration::from_millis(3)).millis(), Some(-3));
        assert_eq!(UNIX_EPOCH.millis(), Some(0));
    }
}
