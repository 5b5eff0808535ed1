//! What comes into the windows of a partition, and what comes out.

use crate::window::{
    Place, RecordKey, Skipped, Unread, Window,
    core::{Time, Verdict},
};

/// A window that fired, for those who send its result.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) key: RecordKey,
    pub(crate) window: Window,
    /// The time of its result.
    pub(crate) timestamp: i64,
    /// The record or control record of the log that caused it.
    pub(crate) cause: i64,
    /// The source record that caused it; `None` where time did.
    pub(crate) caused_by: Option<Origin>,
    /// Where its records came from.
    pub(crate) members: Vec<Origin>,
}

/// Where a record came from: a place without its time, since there is one for each record of every open window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) offset: i64,
    pub(crate) partition: i32,
    /// The place of its topic among the window's.
    pub(crate) topic: u16,
}

impl From<&Place> for Origin {
    fn from(place: &Place) -> Self {
        Origin { offset: place.offset, partition: place.partition, topic: place.topic }
    }
}

/// A record of the log.
pub(crate) struct Arrived<'a> {
    /// Which of the logs it is from.
    pub(crate) log: usize,
    /// The new time, if the record moved it.
    pub(crate) time: Option<Time>,
    pub(crate) offset: i64,
    /// Where reading has to begin to know what is known of time here.
    pub(crate) begin: i64,
    pub(crate) key: &'a [u8],
    pub(crate) value: Unread<'a>,
    pub(crate) place: Place,
    /// How many bytes the record has.
    pub(crate) size: usize,
}

/// A record of a source that is not re-keyed.
pub(crate) struct Direct<'a> {
    /// Which of the logs it is from, which is the place of its topic.
    pub(crate) log: usize,
    pub(crate) offset: i64,
    pub(crate) value: Unread<'a>,
    pub(crate) partition: i32,
    pub(crate) timestamp: Option<i64>,
    /// How many bytes the record has.
    pub(crate) size: usize,
}

/// What a record's key and time mean.
pub(crate) enum Judged {
    /// It is gathered; the time, if it is known.
    Gathered(Option<Time>),
    Skipped(Skipped),
}

/// What became of a record that is not re-keyed.
pub(crate) enum Sorted {
    Gathered(Verdict),
    Skipped(Skipped),
}
