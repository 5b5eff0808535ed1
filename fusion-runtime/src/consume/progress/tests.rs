// A list of one run is just that.
#![allow(clippy::single_range_in_vec_init)]

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use proptest::prelude::*;

use super::*;

fn seen(progress: &mut Progress, offsets: impl IntoIterator<Item = i64>) {
    for offset in offsets {
        assert!(progress.seen(offset), "{offset}");
    }
}

#[test]
fn nothing_seen_commits_the_start() {
    assert_eq!(Progress::new(7).committable(), 7);
    assert_eq!(Progress::new(7).snapshot(), Snapshot { committable: 7, finished_beyond: vec![] });
}

#[test]
fn what_lies_below_or_was_seen_is_skipped() {
    let mut progress = Progress::new(7);
    assert!(!progress.seen(6));
    assert!(progress.seen(7));
    assert!(!progress.seen(7));
    progress.finish(7).unwrap();
    assert!(!progress.seen(7));
    assert!(progress.seen(20));
    assert!(!progress.seen(13), "a gap stays one");
}

#[test]
fn a_record_that_completes_at_once_leaves_nothing() {
    let mut progress = Progress::new(0);
    for offset in [0, 1, 5, 9] {
        assert!(progress.seen(offset));
        progress.finish_in_place(offset).unwrap();
        assert_eq!(progress.committable(), offset + 1);
    }
    assert_eq!(progress.unfinished(), 0);
    assert_eq!(progress.finished_beyond(), []);
}

#[test]
fn finished_records_wait_for_the_lowest_unfinished_one() {
    let mut progress = Progress::new(0);
    seen(&mut progress, [2, 3, 6, 7, 9]);
    progress.finish(7).unwrap();
    progress.finish(3).unwrap();
    assert_eq!(progress.snapshot(), Snapshot { committable: 2, finished_beyond: vec![3..6, 7..9] });
    progress.finish_in_place(9).unwrap();
    assert_eq!(progress.finished_beyond(), [3..6, 7..10]);
    progress.finish(2).unwrap();
    assert_eq!(progress.snapshot(), Snapshot { committable: 6, finished_beyond: vec![7..10] });
    progress.finish(6).unwrap();
    assert_eq!(progress.snapshot(), Snapshot { committable: 10, finished_beyond: vec![] });
}

#[test]
fn gaps_alone_make_no_run() {
    let mut progress = Progress::new(0);
    seen(&mut progress, [0, 2, 4]);
    assert_eq!(progress.finished_beyond(), []);
}

#[test]
fn impossible_calls_are_reported_and_change_nothing() {
    let mut progress = Progress::new(5);
    seen(&mut progress, [5, 8, 9]);
    progress.finish(8).unwrap();
    seen(&mut progress, [10]);
    progress.finish(10).unwrap();
    for offset in [4, 7, 8, 10, 11] {
        assert_eq!(progress.finish(offset), Err(NotUnfinished { offset }));
        assert_eq!(progress.finish_in_place(offset), Err(NotUnfinished { offset }));
    }
    assert_eq!(progress.snapshot(), Snapshot { committable: 5, finished_beyond: vec![6..9, 10..11] });
    assert_eq!(progress.unfinished(), 2);
}

#[test]
fn one_stuck_record_does_not_keep_the_memory_of_all_the_others() {
    let mut progress = Progress::new(0);
    seen(&mut progress, [0]);
    let mut in_flight = VecDeque::new();
    for offset in 1..100_000 {
        seen(&mut progress, [offset]);
        in_flight.push_back(offset);
        if in_flight.len() > 64 {
            progress.finish(in_flight.pop_front().unwrap()).unwrap();
        }
    }
    assert_eq!(progress.unfinished(), 65);
    assert!(progress.open.len() < 4 * 64, "{}", progress.open.len());
    assert_eq!(progress.snapshot(), Snapshot { committable: 0, finished_beyond: vec![1..99_936] });
}

#[test]
fn what_an_earlier_owner_finished_is_skipped_and_not_forgotten() {
    // Out of order, overlapping, empty: as a broken metadata could have it.
    let mut progress = Progress::resume(5, [12..14, 8..10, 9..11, 20..20]);
    assert_eq!(progress.snapshot(), Snapshot { committable: 5, finished_beyond: vec![8..11, 12..14] });
    assert!(progress.seen(5));
    assert!(!progress.seen(8));
    assert_eq!(progress.snapshot(), Snapshot { committable: 5, finished_beyond: vec![6..11, 12..14] });
    assert!(!progress.seen(10));
    progress.finish(5).unwrap();
    assert_eq!(progress.snapshot(), Snapshot { committable: 11, finished_beyond: vec![12..14] });
    assert!(progress.seen(11));
    assert_eq!(progress.snapshot(), Snapshot { committable: 11, finished_beyond: vec![12..14] });
    progress.finish(11).unwrap();
    assert!(!progress.seen(12));
    assert_eq!(progress.snapshot(), Snapshot { committable: 13, finished_beyond: vec![13..14] });
    assert!(!progress.seen(13));
    assert_eq!(progress.snapshot(), Snapshot { committable: 14, finished_beyond: vec![] });
    assert!(progress.seen(14));
}

/// What a test does to a tracker and to the model.
#[derive(Clone, Debug)]
enum Step {
    /// The next record, so many offsets after the last one.
    See { gap: i64 },
    /// The next record, done at once.
    SeeAndFinish { gap: i64 },
    /// A record again.
    SeeAgain { back: i64 },
    /// One of the unfinished.
    Finish { which: usize },
    /// Any offset near the last one.
    FinishAny { back: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let gap = || prop_oneof![4 => Just(0i64), 1 => 1..4i64];
    prop_oneof![
        4 => gap().prop_map(|gap| Step::See { gap }),
        2 => gap().prop_map(|gap| Step::SeeAndFinish { gap }),
        1 => (-2..20i64).prop_map(|back| Step::SeeAgain { back }),
        4 => any::<usize>().prop_map(|which| Step::Finish { which }),
        1 => (-2..20i64).prop_map(|back| Step::FinishAny { back }),
    ]
}

/// All that was ever seen, and what of it is finished.
struct Model {
    start: i64,
    seen: BTreeSet<i64>,
    finished: BTreeSet<i64>,
}

impl Model {
    fn next(&self) -> i64 {
        self.seen.last().map_or(self.start, |last| last + 1)
    }

    fn unfinished(&self) -> Vec<i64> {
        self.seen.difference(&self.finished).copied().collect()
    }

    fn committable(&self) -> i64 {
        self.unfinished().first().copied().unwrap_or(self.next())
    }

    /// Those finished beyond the lowest unfinished one, each for itself.
    fn beyond(&self) -> Vec<i64> {
        self.finished.range(self.committable()..).copied().collect()
    }
}

fn check(progress: &Progress, model: &Model) {
    let Snapshot { committable, finished_beyond } = progress.snapshot();
    assert_eq!(committable, model.committable());
    assert_eq!(committable, progress.committable());
    assert_eq!(progress.unfinished(), model.unfinished().len());
    let within = |offset: &i64| finished_beyond.iter().any(|run| run.contains(offset));
    assert!(model.beyond().iter().all(within), "all that is finished is in a run");
    assert!(!model.unfinished().iter().any(within), "nothing unfinished is");
    let useful = |run: &Range<i64>| model.beyond().iter().any(|offset| run.contains(offset));
    assert!(finished_beyond.iter().all(useful), "each run has a finished record");
    assert!(finished_beyond.windows(2).all(|two| two[0].end < two[1].start), "ascending and disjoint");
    assert!(finished_beyond.iter().all(|run| run.end <= model.next()), "nothing beyond what was seen");
}

proptest! {
    #[test]
    fn any_history_is_that_of_the_model(start in 0..5i64, steps in prop::collection::vec(step(), 1..150)) {
        let mut progress = Progress::new(start);
        let mut model = Model { start, seen: BTreeSet::new(), finished: BTreeSet::new() };
        let mut last_committable = start;
        for step in steps {
            match step {
                Step::See { gap } => {
                    let offset = model.next() + gap;
                    assert!(progress.seen(offset));
                    model.seen.insert(offset);
                }
                Step::SeeAndFinish { gap } => {
                    let offset = model.next() + gap;
                    assert!(progress.seen(offset));
                    assert_eq!(progress.finish_in_place(offset), Ok(()));
                    model.seen.insert(offset);
                    model.finished.insert(offset);
                }
                Step::SeeAgain { back } => {
                    let offset = model.next() - 1 - back;
                    let new = offset >= model.next();
                    assert_eq!(progress.seen(offset), new);
                    if new {
                        model.seen.insert(offset);
                    }
                }
                Step::Finish { which } => {
                    let unfinished = model.unfinished();
                    if let Some(offset) = unfinished.get(which % unfinished.len().max(1)) {
                        assert_eq!(progress.finish(*offset), Ok(()));
                        model.finished.insert(*offset);
                    }
                }
                Step::FinishAny { back } => {
                    let offset = model.next() - 1 - back;
                    let possible = model.unfinished().contains(&offset);
                    let finish = if back % 2 == 0 { Progress::finish } else { Progress::finish_in_place };
                    assert_eq!(finish(&mut progress, offset).is_ok(), possible);
                    if possible {
                        model.finished.insert(offset);
                    }
                }
            }
            check(&progress, &model);
            assert!(progress.committable() >= last_committable, "never back");
            last_committable = progress.committable();
        }
    }

    /// Owners come and go at random moments; each starts from what the one before committed.
    #[test]
    fn over_any_number_of_owners_every_record_is_finished_once(
        offsets in prop::collection::btree_set(0..200i64, 1..80),
        choices in prop::collection::vec((0..10u8, any::<usize>()), 0..600),
    ) {
        let mut finished: BTreeSet<i64> = BTreeSet::new();
        let mut progress = Progress::new(0);
        let mut position = 0;
        let mut in_flight: Vec<i64> = Vec::new();
        let enough = std::iter::repeat_n((5u8, 0usize), 400);
        for (kind, which) in choices.into_iter().chain(enough) {
            match kind {
                0 => {
                    let Snapshot { committable, finished_beyond } = progress.snapshot();
                    progress = Progress::resume(committable, finished_beyond);
                    position = committable;
                    in_flight.clear();
                }
                5.. if !in_flight.is_empty() => {
                    let offset = in_flight.swap_remove(which % in_flight.len());
                    assert_eq!(progress.finish(offset), Ok(()));
                    assert!(finished.insert(offset), "{offset} is finished twice");
                }
                _ => {
                    if let Some(offset) = offsets.range(position..).next() {
                        position = offset + 1;
                        if progress.seen(*offset) {
                            in_flight.push(*offset);
                        }
                    }
                }
            }
            assert!(offsets.range(..progress.committable()).all(|offset| finished.contains(offset)));
        }
        assert_eq!(finished, offsets);
    }
}
