use super::*;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Partitions that were assigned at 0 and are caught up.
fn sources(idle: Option<i64>, count: usize) -> Sources {
    let mut sources = Sources::new(idle, Some(1_000));
    for partition in 0..count {
        assert_eq!(sources.assign(None, 0), partition);
        sources.caught_up(partition, true);
    }
    sources
}

fn closed(at: i64) -> Option<Time> {
    Some(Time { at, reason: Reason::Closed })
}

fn idle(at: i64) -> Option<Time> {
    Some(Time { at, reason: Reason::Idle })
}

#[test]
fn it_is_the_least_of_the_newest() {
    let mut sources = sources(None, 2);
    sources.take(0, 50, 0);
    assert_eq!(sources.now(0), None, "partition 1 has not spoken");
    sources.take(1, 30, 0);
    assert_eq!(sources.now(0), closed(30));
    sources.take(1, 20, 0);
    assert_eq!(sources.now(0), closed(30), "an older record moves nothing");
    sources.take(1, 90, 0);
    assert_eq!(sources.now(0), closed(50));
}

#[test]
fn a_silent_partition_leaves_the_least() {
    let mut sources = sources(Some(10), 2);
    sources.take(0, 5, 4);
    sources.take(0, 50, 9);
    assert_eq!(sources.now(9), None);
    assert_eq!(sources.now(10), closed(50), "partition 1 was silent since it was assigned");
    sources.take(1, 20, 11);
    assert_eq!(sources.now(11), closed(50), "it never goes back");
    assert!(!sources.is_idle(0, 18) && sources.is_idle(0, 19));
}

#[test]
fn a_lagging_partition_is_never_idle() {
    let mut sources = sources(Some(10), 2);
    sources.caught_up(1, false);
    sources.take(0, 50, 0);
    assert_eq!(sources.now(1_000_000), None);
    sources.caught_up(1, true);
    assert!(sources.now(1_000_000).is_some());
}

#[test]
fn when_all_are_idle_it_is_the_largest_and_goes_on_with_the_clock() {
    let mut sources = sources(Some(10), 2);
    sources.take(0, 100, 1_000);
    sources.take(1, 140, 1_004);
    assert_eq!(sources.now(1_009), closed(100));
    assert_eq!(sources.now(1_010), closed(140), "partition 0 is idle");
    assert_eq!(sources.now(1_014), idle(150), "140, 10 ago");
    assert_eq!(sources.now(1_020), idle(156));
    sources.take(0, 120, 1_021);
    assert_eq!(sources.now(1_021), closed(156), "it never goes back");
}

#[test]
fn it_can_do_without_the_clock() {
    let mut sources = sources(Some(10), 2).without_clock();
    sources.take(0, 100, 0);
    sources.take(1, 140, 0);
    assert_eq!(sources.now(9), closed(100));
    assert_eq!(sources.now(1_000), idle(140));
}

#[test]
fn nothing_is_idle_where_idle_is_never() {
    let mut sources = sources(None, 2);
    sources.take(0, 100, 0);
    assert_eq!(sources.now(i64::MAX), None);
}

#[test]
fn silence_from_the_beginning_says_nothing_of_time() {
    assert_eq!(sources(Some(10), 2).now(1_000), None);
}

#[test]
fn a_clock_that_is_ahead_does_not_move_it() {
    let mut sources = sources(Some(10), 1);
    assert_eq!(sources.take(0, 6_001, 5_000), Intake::Ahead);
    assert_eq!(sources.now(5_000), None);
    assert_eq!(sources.take(0, 6_000, 5_000), Intake::Taken);
    assert_eq!(sources.now(5_000), closed(6_000));
    assert_eq!(sources.take(0, 9_000, 5_009), Intake::Ahead);
    assert!(sources.is_idle(0, 5_010), "nor does it break the silence");
}

#[test]
fn what_is_too_far_ahead_or_negative_is_skipped() {
    let mut sources = sources(None, 1);
    assert_eq!(sources.take(0, 1_000 + DAY, 0), Intake::Ahead);
    assert_eq!(sources.take(0, 1_001 + DAY, 0), Intake::Skipped(Skip::TooFar));
    assert_eq!(sources.take(0, -1, 0), Intake::Skipped(Skip::Negative));
    assert_eq!(sources.now(0), None);
    assert_eq!((Skip::TooFar.as_str(), Skip::Negative.as_str()), ("too_far", "negative_timestamp"));
    let mut trusting = Sources::new(None, None);
    trusting.assign(None, 0);
    assert_eq!(trusting.take(0, i64::MAX, 0), Intake::Taken);
}

#[test]
fn what_a_commit_remembers_survives() {
    let mut sources = Sources::new(Some(10), None);
    sources.restore(Some(70));
    sources.assign(Some(Newest { time: 80, arrived: 900 }), 1_000);
    sources.assign(None, 1_000);
    assert_eq!(sources.now(1_000), closed(70));
    sources.take(1, 75, 1_000);
    assert_eq!(sources.now(1_000), closed(75));
    sources.take(1, 90, 1_000);
    assert_eq!(sources.now(1_000), closed(80));
}

#[test]
fn who_runs_ahead_of_the_slowest_waits() {
    let mut sources = sources(Some(10), 3);
    sources.take(0, 100, 5);
    sources.take(1, 131, 5);
    assert!(sources.is_ahead(1, 30, 5) && !sources.is_ahead(1, 31, 5));
    assert!(!sources.is_ahead(0, 30, 5) && !sources.is_ahead(2, 0, 5));
    sources.take(1, 132, 14);
    assert!(!sources.is_ahead(1, 0, 15), "an idle one is not waited for");
}
