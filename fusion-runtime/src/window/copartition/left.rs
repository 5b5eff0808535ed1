//! What a commit of a copartitioned source remembers beside its offset, the lowest that is needed.

use crate::{
    produce::transactions::CommitMetadata,
    window::{
        core::{Far, Newest, Part, Stretch},
        declaration::Declaration,
    },
};

/// The lowest offset that was not processed.
const HIGH: &str = "h";
/// The time at the cut.
const TIME: &str = "t";
/// The newest event time of the partition, and when it arrived.
const NEWEST: &str = "w";
const ARRIVED: &str = "a";
/// What was too far ahead: offsets, and times.
const FAR: &str = "f";

/// What one partition's commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) part: Part,
    pub(super) time: Option<i64>,
    pub(super) newest: Option<Newest>,
    pub(super) far: Far,
}

impl Remembered {
    pub(super) fn to_metadata(&self, declaration: &Declaration) -> CommitMetadata {
        let mut metadata = CommitMetadata::new(self.part.needed);
        declaration.remember(&mut metadata);
        metadata.set_offset(HIGH, self.part.high);
        if let Some(time) = self.time {
            metadata.set_number(TIME, time);
        }
        if let Some(newest) = self.newest {
            metadata.set_number(NEWEST, newest.time);
            metadata.set_number(ARRIVED, newest.arrived);
        }
        if !self.far.stretches().is_empty() {
            let numbers = self.far.stretches().iter().flat_map(|stretch| [stretch.from, stretch.least]);
            metadata.set_bytes(FAR, numbers.flat_map(i64::to_be_bytes).collect::<Vec<u8>>());
        }
        metadata
    }

    /// For who goes on with it as it is declared now. `None` if it is not one of a copartitioned window of this name.
    pub(super) fn resumed(metadata: &CommitMetadata, name: &str, now: &Declaration) -> Option<Self> {
        let remembered = Remembered::from_metadata(metadata, name)?;
        let time = now.resumes_at(remembered.time, metadata);
        Some(Remembered { time, ..remembered })
    }

    fn from_metadata(metadata: &CommitMetadata, name: &str) -> Option<Self> {
        if Declaration::recall(metadata).is_some_and(|before| !before.is_copartitioned(name)) {
            return None;
        }
        let part = Part { needed: metadata.offset(), high: metadata.offset_of(HIGH)? };
        let arrived = metadata.number(ARRIVED).unwrap_or(0);
        let newest = metadata.number(NEWEST).map(|time| Newest { time, arrived });
        let mut stretches = Vec::new();
        for stretch in metadata.bytes(FAR).unwrap_or_default().chunks_exact(16) {
            let (numbers, _) = stretch.as_chunks::<8>();
            let [from, least] = [numbers[0], numbers[1]].map(i64::from_be_bytes);
            stretches.push(Stretch { from, least });
        }
        Some(Remembered { part, time: metadata.number(TIME), newest, far: Far::new(stretches) })
    }
}

/// Whether windows of this name, of which a source's partition remembers something, can go on as they are declared now.
///
/// # Errors
/// Why not, and what helps.
pub(in crate::window) fn check_declaration(
    metadata: &CommitMetadata,
    name: &str,
    now: &Declaration,
) -> Result<(), String> {
    let Some(before) = Declaration::recall(metadata).filter(|before| before.is_copartitioned(name)) else {
        return Ok(());
    };
    let is_open = metadata.offset_of(HIGH).is_some_and(|high| metadata.offset() < high);
    before.differs(now).filter(|_| is_open).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::window::{Kind, WindowSpec};

    fn declaration(size: u64, copartitioned: bool) -> Declaration {
        let kind = Kind::Tumbling { size: Duration::from_secs(size) };
        let spec = WindowSpec::new("gather", &["brake"], kind, Duration::ZERO);
        Declaration::of(&WindowSpec { copartitioned, ..spec })
    }

    #[test]
    fn only_with_nothing_open_it_can_be_declared_otherwise() {
        let (before, now) = (declaration(1, true), declaration(2, true));
        let metadata = |high| {
            let part = Part { needed: 5, high };
            Remembered { part, time: None, newest: None, far: Far::default() }.to_metadata(&before)
        };
        assert_eq!(check_declaration(&metadata(5), "gather", &now), Ok(()));
        let reason = check_declaration(&metadata(6), "gather", &now).unwrap_err();
        assert!(reason.contains("`tumbling = 1s, grace = 0s, copartitioned`"), "{reason}");
        let reason = check_declaration(&metadata(6), "gather", &declaration(1, false)).unwrap_err();
        assert!(reason.contains("`tumbling = 1s, grace = 0s`"), "{reason}");
        assert_eq!(check_declaration(&metadata(6), "gather", &before), Ok(()));
        assert_eq!(check_declaration(&metadata(6), "other", &now), Ok(()), "it begins anew");
    }

    #[test]
    fn what_had_closed_stays_so_where_windows_stay_open_for_longer() {
        let declared = |seconds| {
            let kind = Kind::Tumbling { size: Duration::from_secs(30) };
            let spec = WindowSpec::new("gather", &["brake"], kind, Duration::ZERO);
            Declaration::of(&WindowSpec { copartitioned: true, grace: Duration::from_secs(seconds), ..spec })
        };
        let remembered = |time| {
            let newest = Some(Newest { time: 9, arrived: 11 });
            Remembered { part: Part { needed: 5, high: 5 }, time, newest, far: Far::default() }
        };
        let resumed = |time, before, now| {
            let metadata = remembered(time).to_metadata(&declared(before));
            Remembered::resumed(&metadata, "gather", &declared(now))
        };
        assert_eq!(resumed(Some(50_000), 1, 3), Some(remembered(Some(52_000))));
        assert_eq!(resumed(Some(50_000), 3, 3), Some(remembered(Some(50_000))));
        assert_eq!(resumed(Some(50_000), 3, 1), Some(remembered(Some(50_000))));
        assert_eq!(resumed(None, 1, 3), Some(remembered(None)));
    }

    #[test]
    fn it_comes_back() {
        let far = Far::new(vec![Stretch { from: 6, least: 7 }, Stretch { from: 8, least: i64::MAX }]);
        let known = Some(Newest { time: 9, arrived: 11 });
        for (time, newest, far) in [(None, None, Far::default()), (Some(7), known, far)] {
            let remembered = Remembered { part: Part { needed: 5, high: 9 }, time, newest, far };
            let metadata = remembered.to_metadata(&declaration(1, true));
            let read = CommitMetadata::accept(metadata.encode().as_bytes(), 5, 9).unwrap();
            assert_eq!(Remembered::from_metadata(&read, "gather"), Some(remembered));
            assert_eq!(Remembered::from_metadata(&read, "other"), None);
        }
        assert_eq!(Remembered::from_metadata(&CommitMetadata::new(5), "gather"), None);
    }
}
