//! What a commit of a log's partition remembers beside its offset.

use crate::{
    produce::transactions::CommitMetadata,
    window::{
        core::{Cut, Needed, Split},
        declaration::Declaration,
    },
};

/// What transactions add to the text beside an offset, in bytes.
const ADDED: usize = 48;

/// The lowest offset that is still needed, and the time there.
const NEEDED: &str = "n";
const TIME: &str = "t";
/// The lowest offset that was not processed.
const HIGH: &str = "h";
/// Sessions that outgrew `longest`.
const SPLITS: &str = "s";

/// What is committed for a cut: reading begins again at `needed.begin`.
pub(super) fn to_metadata(cut: &Cut, declaration: &Declaration) -> CommitMetadata {
    let mut metadata = CommitMetadata::new(cut.needed.begin);
    declaration.remember(&mut metadata);
    metadata.set_offset(NEEDED, cut.needed.offset);
    if let Some(time) = cut.needed.time {
        metadata.set_number(TIME, time);
    }
    metadata.set_offset(HIGH, cut.high);
    if !cut.splits.is_empty() {
        let numbers = cut.splits.iter().flat_map(|split| [split.offset, split.first, split.last]);
        metadata.set_bytes(SPLITS, numbers.flat_map(i64::to_be_bytes).collect::<Vec<u8>>());
    }
    metadata
}

/// The cut behind a commit; `None` if it is not one of a window.
pub(super) fn from_metadata(metadata: &CommitMetadata) -> Option<Cut> {
    let needed =
        Needed { offset: metadata.offset_of(NEEDED)?, time: metadata.number(TIME), begin: metadata.offset() };
    let mut splits = Vec::new();
    for split in metadata.bytes(SPLITS).unwrap_or_default().chunks_exact(24) {
        let (numbers, _) = split.as_chunks::<8>();
        let [offset, first, last] = [numbers[0], numbers[1], numbers[2]].map(i64::from_be_bytes);
        splits.push(Split { offset, first, last });
    }
    Some(Cut { needed, high: metadata.offset_of(HIGH)?, splits })
}

/// Whether what is open in the partition can go on as it is declared now.
///
/// # Errors
/// Why not, and what helps.
pub(crate) fn check_declaration(metadata: &CommitMetadata, now: &Declaration) -> Result<(), String> {
    let is_open = from_metadata(metadata).is_some_and(|cut| cut.needed.offset < cut.high);
    let before = Declaration::recall(metadata).filter(|_| is_open);
    before.and_then(|before| before.differs(now)).map_or(Ok(()), Err)
}

/// Whether what is committed for a cut is short enough to be committed.
///
/// # Errors
/// What is wrong and what helps. Only sessions that outgrew `longest` make it long.
pub(super) fn check(cut: &Cut, metadata: &CommitMetadata, limit: usize) -> Result<(), String> {
    if cut.splits.is_empty() {
        return Ok(());
    }
    let size = metadata.encode().len() + ADDED;
    if size <= limit {
        return Ok(());
    }
    Err(format!(
        "{} sessions became longer than `longest` and their keys went on: what has to be remembered of them takes {size} \
         bytes beside the committed offset, and {limit} are the most. Make `longest` longer or `gap` shorter, or give \
         the sources more partitions and the window another `name`",
        cut.splits.len()
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::window::{Kind, WindowSpec};

    fn declaration(seconds: u64) -> Declaration {
        let (gap, longest) = (Duration::from_secs(seconds), Duration::from_secs(3_600));
        Declaration::of(&WindowSpec::new("gather", &["brake"], Kind::Session { gap, longest }, gap))
    }

    #[test]
    fn only_with_nothing_open_it_can_be_declared_otherwise() {
        let cut =
            |offset| Cut { needed: Needed { offset, time: Some(1), begin: 1 }, high: 10, splits: Vec::new() };
        let (before, now) = (declaration(1), declaration(2));
        let check = |offset| check_declaration(&to_metadata(&cut(offset), &before), &now);
        assert_eq!(check(10), Ok(()));
        let reason = check(9).unwrap_err();
        assert!(reason.contains("`session = 1s, longest = 3600s, grace = 1s`"), "{reason}");
        assert_eq!(check_declaration(&to_metadata(&cut(9), &before), &before), Ok(()));
        let mut old = CommitMetadata::new(1);
        old.set_offset(NEEDED, 9);
        old.set_offset(HIGH, 10);
        assert_eq!(check_declaration(&old, &now), Ok(()), "earlier versions remembered none");
    }

    #[test]
    fn a_cut_comes_back() {
        let splits =
            vec![Split { offset: 7, first: -1, last: 9 }, Split { offset: 8, first: 0, last: i64::MAX }];
        for time in [None, Some(1_000)] {
            let needed = Needed { offset: 12, time, begin: 5 };
            let cut = Cut { needed, high: 99, splits: splits.clone() };
            let metadata = to_metadata(&cut, &declaration(1));
            let read = CommitMetadata::accept(metadata.encode().as_bytes(), 5, 99).unwrap();
            assert_eq!(from_metadata(&read), Some(cut));
        }
    }

    #[test]
    fn a_cut_that_remembers_too_much_says_so() {
        let cut = |count| Cut {
            needed: Needed { offset: 1, time: Some(1), begin: 1 },
            high: 1_000,
            splits: (0..count).map(|offset| Split { offset, first: 1, last: 2 }).collect(),
        };
        let checked = |cut: &Cut| check(cut, &to_metadata(cut, &declaration(1)), 3_050);
        assert_eq!((checked(&cut(0)), checked(&cut(90))), (Ok(()), Ok(())));
        assert!(to_metadata(&cut(90), &declaration(1)).encode().len() > 2_800, "nearly all of it is used");
        let reason = checked(&cut(100)).unwrap_err();
        assert!(reason.starts_with("100 sessions") && reason.contains("`longest`"), "{reason}");
    }

    #[test]
    fn a_commit_of_something_else_is_none() {
        assert_eq!(from_metadata(&CommitMetadata::new(5)), None);
    }
}
