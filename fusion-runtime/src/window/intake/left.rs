//! What a commit of a source's partition remembers beside its offset: what everybody needs who shares it.

use std::ops::Range;

use crate::{
    consume::Snapshot,
    produce::transactions::CommitMetadata,
    window::{core::Newest, short_hash},
};

/// What transactions add to the text beside an offset, in bytes.
const ADDED: usize = 48;

/// Up to where the records are in the windows' logs, if that is not the committed offset.
const READ: &str = "read";
/// What a reactor beside the windows has finished, from the committed offset on.
const FINISHED: &str = "done";

/// Where those stand who share a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// Everything below it is in the windows' logs, or skipped.
    pub(super) read: i64,
    /// The newest time of each window, by the window's name.
    pub(super) newest: Vec<(&'static str, Option<Newest>)>,
    /// How far a reactor has come that serves the topic.
    pub(super) reactor: Option<Snapshot>,
}

impl Left {
    /// The offset to commit: the lowest that any of them needs.
    fn lowest(&self) -> i64 {
        self.reactor.as_ref().map_or(self.read, |reactor| reactor.committable.min(self.read))
    }

    /// What is committed. Whether it is as short as it has to be is another matter, see [`fit`].
    pub(super) fn to_metadata(&self) -> CommitMetadata {
        let lowest = self.lowest();
        let mut metadata = CommitMetadata::new(lowest);
        if self.read != lowest {
            metadata.set_offset(READ, self.read);
        }
        for (window, newest) in &self.newest {
            if let Some(newest) = newest {
                metadata.set_number(&field('n', window), newest.time);
                metadata.set_number(&field('a', window), newest.arrived);
            }
        }
        let finished = self.reactor.iter().flat_map(|reactor| &reactor.finished_beyond);
        let finished: Vec<Range<i64>> =
            finished.map(|run| run.start.max(lowest)..run.end).filter(|run| run.start < run.end).collect();
        if !finished.is_empty() {
            metadata.set_finished(FINISHED, &finished);
        }
        metadata
    }

    /// What a partition begins with at this offset, for these windows; `None` is left by nobody.
    pub(super) fn from_metadata(
        left: Option<&CommitMetadata>,
        start: i64,
        windows: impl IntoIterator<Item = &'static str>,
    ) -> Left {
        let number = |kind, window: &str| left.and_then(|left| left.number(&field(kind, window)));
        let newest = |window: &'static str| {
            let arrived = number('a', window).unwrap_or(0);
            (window, number('n', window).map(|time| Newest { time, arrived }))
        };
        let read = left.and_then(|left| left.offset_of(READ)).map_or(start, |read| read.max(start));
        let finished = left.and_then(|left| left.finished(FINISHED)).unwrap_or_default();
        let reactor = Snapshot { committable: start, finished_beyond: finished.to_vec() };
        Left { read, newest: windows.into_iter().map(newest).collect(), reactor: Some(reactor) }
    }
}

/// Why windows cannot gather a topic together, where so many bytes may stand beside an offset; `None` if they can.
pub(crate) fn too_many(topic: &str, windows: &[&'static str], limit: usize) -> Option<String> {
    let longest = |windows: &[&'static str]| {
        let newest = Newest { time: i64::MAX, arrived: i64::MAX };
        let newest = windows.iter().map(|window| (*window, Some(newest))).collect();
        size(&Left { read: i64::MAX, newest, reactor: None }.to_metadata())
    };
    let most = (0..=windows.len()).rev().find(|most| longest(&windows[..*most]) <= limit)?;
    let count = windows.len();
    (most < count).then(|| {
        format!(
            "{count} windows gather the topic `{topic}`: what has to be remembered of each takes {} bytes beside a committed \
             offset, and {limit} are the most, enough for {most} windows. Put the others into an app of their own",
            longest(windows)
        )
    })
}

/// How a window is called in the metadata that all windows of a topic share.
fn field(kind: char, window: &str) -> String {
    format!("{kind}{:08x}", short_hash(window))
}

/// How much room there is beside an offset for what a reactor finishes out of order, and how much of it is taken; in bytes
/// as they are before they become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    all: usize,
    taken: usize,
}

impl Room {
    pub(super) fn of(metadata: &CommitMetadata, limit: usize) -> Room {
        let mut bare = metadata.clone();
        bare.set_finished(FINISHED, &[]);
        let (bare, size) = (size(&bare), size(metadata));
        Room { all: limit.saturating_sub(bare) / 4 * 3, taken: size.saturating_sub(bare).div_ceil(4) * 3 }
    }

    /// Whether there is enough, whatever is finished of the records that are `open` and in whatever order, if they end
    /// `span` offsets behind the lowest unfinished one. A bitmap has a bit for each offset, and runs have a byte for each
    /// record, where these lie close together; where they do not, [`fit`] helps.
    pub(super) fn is_enough(&self, open: usize, span: usize) -> bool {
        span / 8 + 2 <= self.all || self.taken + open <= self.all
    }
}

/// Leaves out of what is too long the last that a reactor has finished: it is run again then, and nothing is lost.
pub(super) fn fit(metadata: &mut CommitMetadata, limit: usize) {
    while size(metadata) > limit {
        let Some(runs) = metadata.finished(FINISHED).filter(|runs| !runs.is_empty()) else { break };
        let fewer = runs[..runs.len() * 3 / 4].to_vec();
        metadata.set_finished(FINISHED, &fewer);
    }
}

fn size(metadata: &CommitMetadata) -> usize {
    metadata.encode().len() + ADDED
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };

    use super::*;
    use crate::produce::transactions::MOST_BYTES;

    const LIMIT: usize = 3_050;

    fn newest(time: i64) -> Option<Newest> {
        Some(Newest { time, arrived: time + 5 })
    }

    fn again(metadata: &CommitMetadata, end: i64, windows: &[&'static str]) -> Left {
        let text = metadata.encode();
        let read = CommitMetadata::accept(text.as_bytes(), metadata.offset(), end).unwrap();
        Left::from_metadata(Some(&read), metadata.offset(), windows.iter().copied())
    }

    fn snapshot(committable: i64, finished_beyond: &[Range<i64>]) -> Snapshot {
        Snapshot { committable, finished_beyond: finished_beyond.to_vec() }
    }

    #[test]
    fn the_lowest_that_any_needs_is_committed_and_each_finds_what_is_its_own() {
        let left = Left {
            read: 90,
            newest: vec![("one", newest(1_000)), ("other", None)],
            reactor: Some(snapshot(12, &[14..15, 20..90])),
        };
        let metadata = left.to_metadata();
        assert_eq!(metadata.offset(), 12);
        assert_eq!(again(&metadata, 90, &["one", "other"]), left);
        // A window that came later begins where all go on, and one that is gone disturbs nobody.
        let later = again(&metadata, 90, &["later", "one"]);
        assert_eq!(later.newest, [("later", None), ("one", newest(1_000))]);
        assert_eq!(later.read, 90);
    }

    #[test]
    fn windows_alone_commit_what_they_always_did() {
        let left = Left { read: 90, newest: vec![("one", newest(1_000))], reactor: None };
        let metadata = left.to_metadata();
        assert_eq!(metadata.offset(), 90);
        assert_eq!((metadata.offset_of(READ), metadata.finished(FINISHED)), (None, None));
        let read = again(&metadata, 90, &["one"]);
        assert_eq!((read.read, read.reactor), (90, Some(snapshot(90, &[]))));
    }

    #[test]
    fn a_reactor_that_has_finished_all_leaves_nothing_to_remember() {
        let left = Left { read: 90, newest: Vec::new(), reactor: Some(snapshot(90, &[])) };
        assert_eq!(left.to_metadata(), CommitMetadata::new(90));
        // After a restart the windows are ahead of what is read.
        let left = Left { read: 90, newest: Vec::new(), reactor: Some(snapshot(40, &[30..35, 38..42])) };
        let metadata = left.to_metadata();
        assert_eq!((metadata.offset(), metadata.offset_of(READ)), (40, Some(90)));
        assert_eq!(
            metadata.finished(FINISHED),
            Some(from_ref(&(40..42))),
            "what lies below is finished anyway"
        );
    }

    #[test]
    fn nobody_left_anything() {
        let left = Left::from_metadata(None, 7, ["one"]);
        assert_eq!(left.read, 7);
        assert_eq!((left.newest, left.reactor), (vec![("one", None)], Some(snapshot(7, &[]))));
        // A gap: the partition goes on with the oldest record there is.
        let mut metadata = CommitMetadata::new(7);
        metadata.set_offset(READ, 20);
        assert_eq!(Left::from_metadata(Some(&metadata), 30, []).read, 30);
        assert_eq!(Left::from_metadata(Some(&metadata), 10, []).read, 20);
    }

    #[test]
    fn a_reactor_far_behind_in_one_place_takes_little_room() {
        let left = Left {
            read: 5_000_000,
            newest: Vec::new(),
            reactor: Some(snapshot(0, from_ref(&(1..5_000_000)))),
        };
        let mut metadata = left.to_metadata();
        let room = Room::of(&metadata, LIMIT);
        assert!(room.is_enough(1_000, 5_001_000) && !room.is_enough(5_000, 5_001_000));
        fit(&mut metadata, LIMIT);
        assert_eq!(again(&metadata, 5_000_000, &[]), left);
    }

    proptest! {
        /// Whatever a reactor has finished, it can be committed; what is left out is the last of it, and only if it must.
        #[test]
        fn what_is_too_long_is_shortened_from_its_end(
            offsets in btree_set(1_i64..60_000, 0..9_000),
            windows in 0_usize..4,
        ) {
            let runs: Vec<Range<i64>> = offsets.iter().map(|&offset| offset..offset + 1).collect();
            let names = &["a", "b", "c", "d"][..windows];
            let left = Left {
                read: 60_001,
                newest: names.iter().map(|name| (*name, newest(1_760_000_000_000))).collect(),
                reactor: Some(snapshot(0, &runs)),
            };
            let whole = left.to_metadata();
            let mut metadata = whole.clone();
            fit(&mut metadata, LIMIT);
            prop_assert!(size(&metadata) <= LIMIT);
            let mut read = again(&metadata, 60_001, names);
            let all = whole.finished(FINISHED).unwrap_or_default();
            let kept = read.reactor.take().unwrap().finished_beyond;
            prop_assert!(all.starts_with(&kept));
            prop_assert!(kept.len() == all.len() || size(&whole) > LIMIT);
            prop_assert_eq!((read.read, read.newest), (left.read, left.newest));
        }

        /// What there was enough room for fits, in whatever order it is finished.
        #[test]
        fn what_there_is_enough_room_for_fits(
            before in btree_set(1_i64..20_000, 0..4_000),
            open in btree_set(20_000_i64..24_000, 0..3_000),
            finished in vec(any::<bool>(), 7_000),
            long in any::<bool>(),
        ) {
            // A long stretch that is finished takes little room, and makes a bitmap long.
            let start = if long { -1_000_000 } else { 0 };
            let left = |offsets: &[i64]| {
                let runs = offsets.iter().map(|&offset| if offset == 1 { start + 1..2 } else { offset..offset + 1 });
                let runs: Vec<Range<i64>> = runs.collect();
                Left { read: 24_000, newest: Vec::new(), reactor: Some(snapshot(start, &runs)) }.to_metadata()
            };
            let before: Vec<i64> = [1].into_iter().chain(before).collect();
            let room = Room::of(&left(&before), LIMIT);
            // What is not finished below 20,000 is open, too.
            let more: Vec<i64> = (2..20_000).filter(|offset| before.binary_search(offset).is_err()).chain(open).collect();
            if room.is_enough(more.len(), (24_000 - start) as usize) {
                let ends = more.iter().zip(finished.iter().cycle()).filter(|(_, ends)| **ends);
                let mut after: Vec<i64> = before.into_iter().chain(ends.map(|(offset, _)| *offset)).collect();
                after.sort_unstable();
                after.dedup();
                prop_assert!(size(&left(&after)) <= LIMIT);
            }
        }
    }

    #[test]
    fn what_windows_of_one_topic_remember_fits_beside_an_offset() {
        let names: Vec<&'static str> =
            (0..70).map(|number| &*String::leak(format!("window{number}"))).collect();
        assert_eq!(too_many("brake", &names[..40], MOST_BYTES), None);
        let reason = too_many("brake", &names, MOST_BYTES).unwrap();
        let most =
            (1..70).rev().find(|most| too_many("brake", &names[..*most], MOST_BYTES).is_none()).unwrap();
        assert!(most >= 40 && reason.starts_with("70 windows gather the topic `brake`"), "{reason}");
        assert!(reason.contains(&format!("enough for {most} windows")), "{reason}");
    }
}
