//! What a commit of a log's partition remembers beside its offset.

use crate::{
    produce::transactions::CommitMetadata,
    window::{
        core::{Cut, Needed},
        declaration::Declaration,
    },
};

use super::splits;

/// What transactions add to the text beside an offset, in bytes.
const ADDED: usize = 48;
/// More than everything but the sessions takes.
const OTHERS: usize = 200;

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
        metadata.set_bytes(SPLITS, splits::encode(&cut.splits));
    }
    metadata
}

/// The cut behind a commit; `None` if it is not one of a window.
pub(super) fn from_metadata(metadata: &CommitMetadata) -> Option<Cut> {
    let needed =
        Needed { offset: metadata.offset_of(NEEDED)?, time: metadata.number(TIME), begin: metadata.offset() };
    let splits = match metadata.bytes(SPLITS) {
        Some(bytes) => splits::decode(bytes)?,
        None => Vec::new(),
    };
    Some(Cut { needed, high: metadata.offset_of(HIGH)?, splits })
}

/// The cut behind a commit, for who goes on with it as it is declared now.
pub(super) fn resumed(metadata: &CommitMetadata, now: &Declaration) -> Option<Cut> {
    let mut cut = from_metadata(metadata)?;
    cut.needed.time = now.resumes_at(cut.needed.time, metadata);
    Some(cut)
}

/// How many sessions that outgrew `longest` are to be remembered in so many bytes. A quarter is left for those that cannot
/// be left to the log, and for some that take more than most.
pub(super) fn splits_within(limit: usize) -> usize {
    // Its bytes cost four for three.
    limit.saturating_sub(ADDED + OTHERS) * 3 / 4 * 3 / 4 / splits::COMMON_BYTES
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
    use crate::window::{Kind, WindowSpec, core::Split};

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
    fn what_had_closed_stays_so_where_windows_stay_open_for_longer() {
        let cut = |time| Cut { needed: Needed { offset: 10, time, begin: 1 }, high: 10, splits: Vec::new() };
        let left = |time| to_metadata(&cut(time), &declaration(1));
        // A gap and a grace of three seconds, and of one before.
        assert_eq!(resumed(&left(Some(50_000)), &declaration(3)), Some(cut(Some(54_000))));
        assert_eq!(resumed(&left(Some(50_000)), &declaration(1)), Some(cut(Some(50_000))));
        assert_eq!(
            resumed(&to_metadata(&cut(Some(5)), &declaration(3)), &declaration(1)),
            Some(cut(Some(5)))
        );
        assert_eq!(resumed(&left(None), &declaration(3)), Some(cut(None)));
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

    /// Keys that send every five seconds at random, and began at random in the last hour, which is `longest`; as many
    /// other records again are in the log.
    fn heartbeats(count: usize) -> Cut {
        let (longest, every) = (3_600_000, 5_000);
        let random = |number: usize| (number as i64).wrapping_mul(2_654_435_761).rem_euclid(every);
        let each = longest / count as i64;
        let split = |(key, at): (usize, i64)| {
            let last = 1_760_000_000_000 + at - random(key);
            let offset = 4_000_000_000 + at * 2 * count as i64 / every;
            Split { offset, first: last - longest + random(key + count), last }
        };
        let splits = (0..count).zip((0..).step_by(each as usize)).map(split).collect::<Vec<_>>();
        let needed = Needed { offset: splits[0].offset, time: Some(1_760_000_000_000), begin: 3_999_999_000 };
        Cut { needed, high: splits[count - 1].offset + 1_000, splits }
    }

    #[test]
    fn a_cut_remembers_three_hundred_keys_that_go_on_and_on() {
        let cut = heartbeats(300);
        let metadata = to_metadata(&cut, &declaration(1));
        assert_eq!(check(&cut, &metadata, 3_050), Ok(()));
        assert!(metadata.encode().len() > 2_600, "nearly all of it is used");
        let read = CommitMetadata::accept(metadata.encode().as_bytes(), 3_999_999_000, i64::MAX).unwrap();
        assert_eq!(from_metadata(&read), Some(cut));
        assert!((180..250).contains(&splits_within(3_050)), "{}", splits_within(3_050));
        assert_eq!(splits_within(100), 0);
        let longest = Needed { offset: i64::MAX, time: Some(i64::MAX), begin: i64::MAX };
        let bare = Cut { needed: longest, high: i64::MAX, splits: Vec::new() };
        let size = to_metadata(&bare, &declaration(u64::MAX / 1_000_000)).encode().len();
        assert!(size <= OTHERS, "{size} bytes");
    }

    #[test]
    fn a_cut_that_remembers_too_much_says_so() {
        let cut = heartbeats(400);
        let reason = check(&cut, &to_metadata(&cut, &declaration(1)), 3_050).unwrap_err();
        assert!(reason.starts_with("400 sessions") && reason.contains("`longest`"), "{reason}");
    }

    #[test]
    fn sessions_that_cannot_be_read_are_no_cut() {
        let mut metadata = to_metadata(&heartbeats(3), &declaration(1));
        metadata.set_bytes(SPLITS, [0x80]);
        assert_eq!(from_metadata(&metadata), None);
    }

    #[test]
    fn a_commit_of_something_else_is_none() {
        assert_eq!(from_metadata(&CommitMetadata::new(5)), None);
    }
}
