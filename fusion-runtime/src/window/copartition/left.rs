//! What a commit of a copartitioned source remembers beside its offset, the lowest that is needed.

use crate::{
    produce::transactions::CommitMetadata,
    window::{core::Part, intake::Newest},
};

/// The lowest offset that was not processed.
const HIGH: &str = "h";
/// The time at the cut.
const TIME: &str = "t";
/// The newest event time of the partition, and when it arrived.
const NEWEST: &str = "w";
const ARRIVED: &str = "a";

/// What one partition's commit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) part: Part,
    pub(super) time: Option<i64>,
    pub(super) newest: Newest,
}

impl Remembered {
    pub(super) fn to_metadata(self) -> CommitMetadata {
        let mut metadata = CommitMetadata::new(self.part.needed);
        metadata.set_offset(HIGH, self.part.high);
        if let Some(time) = self.time {
            metadata.set_number(TIME, time);
        }
        if let Some(newest) = self.newest.time {
            metadata.set_number(NEWEST, newest);
            metadata.set_number(ARRIVED, self.newest.arrived);
        }
        metadata
    }

    /// `None` if it is not one of a copartitioned window.
    pub(super) fn from_metadata(metadata: &CommitMetadata) -> Option<Self> {
        let part = Part { needed: metadata.offset(), high: metadata.offset_of(HIGH)? };
        let newest = Newest { time: metadata.number(NEWEST), arrived: metadata.number(ARRIVED).unwrap_or(0) };
        Some(Remembered { part, time: metadata.number(TIME), newest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        for (time, newest) in [(None, Newest::default()), (Some(7), Newest { time: Some(9), arrived: 11 })] {
            let remembered = Remembered { part: Part { needed: 5, high: 9 }, time, newest };
            let metadata = remembered.to_metadata();
            let read = CommitMetadata::accept(metadata.encode().as_bytes(), 5, 9).unwrap();
            assert_eq!(Remembered::from_metadata(&read), Some(remembered));
        }
        assert_eq!(Remembered::from_metadata(&CommitMetadata::new(5)), None);
    }
}
