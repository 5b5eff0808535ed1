use super::*;

const LEASE: i64 = 30;

fn claim(partition: i32, newest: i64) -> Claim {
    Claim { topic: 0, partition, newest: Some(Newest { time: newest, arrived: 1_000 }), idle: false }
}

fn idle(partition: i32, newest: i64) -> Claim {
    Claim { idle: true, ..claim(partition, newest) }
}

/// A control record of a log whose sources have two partitions.
fn control(stamp: i64, claims: &[Claim]) -> Control {
    Control { stamp, lease: None, counts: vec![2], claims: claims.to_vec() }
}

/// Reads control records at offsets 0, 10, 20, ...; the time by each.
fn times(controls: &[Control]) -> Vec<Option<(i64, Reason)>> {
    let mut claims = Claims::new(LEASE);
    let read = |(place, control): (usize, &Control)| {
        claims.read(place as i64 * 10, control).unwrap().map(|time| (time.at, time.reason))
    };
    controls.iter().enumerate().map(read).collect()
}

#[test]
fn time_is_unknown_until_each_partition_is_claimed() {
    assert_eq!(
        times(&[control(1_000, &[claim(0, 50)]), control(1_001, &[claim(1, 40)])]),
        [None, Some((40, Reason::Closed))]
    );
}

#[test]
fn a_partition_that_has_not_spoken_holds_it() {
    let silent = Claim { newest: None, ..claim(1, 0) };
    let idle = Claim { idle: true, ..silent };
    assert_eq!(
        times(&[control(1_000, &[claim(0, 50), silent]), control(1_001, &[idle])]),
        [None, Some((50, Reason::Closed))]
    );
}

#[test]
fn an_expired_claim_holds_it_until_its_partition_is_claimed_again() {
    let told = times(&[
        control(1_000, &[claim(0, 50), idle(1, 40)]),
        control(1_030, &[claim(0, 60)]),
        control(1_031, &[claim(0, 70)]),
        control(1_032, &[idle(1, 40)]),
    ]);
    let closed = |at| Some((at, Reason::Closed));
    assert_eq!(told, [closed(50), closed(60), None, closed(70)], "idleness is a lease");
}

#[test]
fn a_claim_holds_for_as_long_as_its_writer_said() {
    let closed = |at| Some((at, Reason::Closed));
    let of = |lease| Control { lease: Some(lease), ..control(1_000, &[claim(0, 50), claim(1, 60)]) };
    let later = |stamp| control(stamp, &[claim(0, 70)]);
    assert_eq!(times(&[of(5), later(1_005), later(1_006)]), [closed(50), closed(60), None]);
    assert_eq!(times(&[of(100), later(1_100), later(1_101)]), [closed(50), closed(60), None]);
}

#[test]
fn when_all_are_idle_it_goes_on_with_the_stamps_of_the_log() {
    let told = times(&[
        control(1_010, &[idle(0, 50), idle(1, 40)]),
        control(1_015, &[]),
        control(1_005, &[]),
        control(1_041, &[]),
    ]);
    let idle = |at| Some((at, Reason::Idle));
    assert_eq!(told, [idle(60), idle(65), idle(65), None], "a tick is no claim");
}

#[test]
fn what_was_claimed_last_is_all_that_counts() {
    let told = times(&[control(1_000, &[claim(0, 50), claim(1, 60)]), control(999, &[claim(0, 45)])]);
    assert_eq!(told[1], Some((45, Reason::Closed)), "the table does not go back; what is claimed may");
}

#[test]
fn a_replay_begins_at_the_oldest_claim_that_holds() {
    let mut claims = Claims::new(LEASE);
    assert_eq!(claims.begin(), None);
    let mut begin = |offset, stamp| {
        claims.read(offset, &control(stamp, &[])).unwrap();
        claims.begin().unwrap()
    };
    assert_eq!(begin(0, 1_000), 0);
    assert_eq!(begin(5, 1_030), 0);
    assert_eq!(begin(9, 1_031), 5);
    assert_eq!(begin(12, 2_000), 12);
    assert_eq!(claims.newest_stamp(), Some(2_000));
}

#[test]
fn changed_partition_counts_are_an_error() {
    let mut claims = Claims::new(LEASE);
    claims.read(0, &control(1_000, &[])).unwrap();
    let grown = Control { counts: vec![3], ..control(1_001, &[claim(2, 1)]) };
    let error = claims.read(1, &grown).unwrap_err();
    assert_eq!(error, ClaimsError::Counts { was: vec![2], now: vec![3] });
    assert_eq!(
        error.to_string(),
        "the source topics had [2] partitions and now have [3]: keys would meet elsewhere"
    );
}

#[test]
fn a_claim_of_no_partition_is_an_error_and_nothing_is_taken_of_it() {
    let mut claims = Claims::new(LEASE);
    for bad in [claim(2, 1), claim(-1, 1), Claim { topic: 1, ..claim(0, 1) }] {
        let error = claims.read(0, &control(1_000, &[claim(0, 50), claim(1, 50), bad])).unwrap_err();
        assert_eq!(error, ClaimsError::NoSuchPartition { topic: bad.topic, partition: bad.partition });
    }
    assert_eq!((claims.newest_stamp(), claims.begin()), (None, None));
}

#[test]
fn what_holds_it_back_and_why() {
    let mut claims = Claims::new(LEASE);
    assert_eq!(claims.holder(), None);
    let silent = Claim { newest: None, ..claim(1, 0) };
    let steps = [
        (control(1_000, &[claim(0, 50)]), Some((0, 1, HeldBackReason::Unknown))),
        (control(1_010, &[silent]), Some((0, 1, HeldBackReason::Empty))),
        (control(1_020, &[claim(1, 60)]), Some((0, 0, HeldBackReason::Slowest))),
        (control(1_031, &[claim(1, 70)]), Some((0, 0, HeldBackReason::Expired))),
        (control(1_032, &[idle(0, 50)]), Some((0, 1, HeldBackReason::Slowest))),
        (control(1_033, &[idle(1, 70)]), None),
    ];
    for (offset, (control, holder)) in (0..).zip(steps) {
        claims.read(offset, &control).unwrap();
        assert_eq!(claims.holder(), holder, "at {offset}");
    }
}
