//! The lowest offset that is still needed.

use std::collections::BTreeMap;

/// Where a replay has to begin, and with which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The lowest offset that open windows need.
    pub offset: i64,
    /// The time as it was when the record there was read, before that record moved it.
    pub time: Option<i64>,
    /// Where reading has to begin so that what is known of time at `offset` is known again; at most `offset`.
    pub begin: i64,
}

pub(super) fn earliest(one: Needed, other: Needed) -> Needed {
    if other.offset < one.offset { other } else { one }
}

/// What is needed, by offset. An offset can be needed by several: what a record is remembered for can be another's need.
#[derive(Debug, Default)]
pub(super) struct Needs(BTreeMap<i64, (u64, Needed)>);

impl Needs {
    pub(super) fn add(&mut self, needed: Needed) {
        self.0.entry(needed.offset).or_insert((0, needed)).0 += 1;
    }

    /// Once more of what is there already.
    pub(super) fn share(&mut self, offset: i64) {
        if let Some((count, _)) = self.0.get_mut(&offset) {
            *count += 1;
        }
    }

    pub(super) fn remove(&mut self, offset: i64) {
        if let Some((count, _)) = self.0.get_mut(&offset) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&offset);
            }
        }
    }

    pub(super) fn get(&self, offset: i64) -> Option<Needed> {
        self.0.get(&offset).map(|(_, needed)| *needed)
    }

    pub(super) fn lowest(&self) -> Option<Needed> {
        self.0.first_key_value().map(|(_, (_, needed))| *needed)
    }
}
