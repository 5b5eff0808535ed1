use super::*;

fn longest(longest: i64) -> Rig {
    Rig::new(rules(Kind::Session { gap: 10, longest }, 0))
}

#[test]
fn records_a_gap_apart_belong_together() {
    let mut rig = Rig::new(rules(SESSION, 0));
    rig.record("a", "x", 0);
    rig.record("a", "y", 10);
    rig.record("a", "z", 21);
    assert_eq!(rig.advance(1_000), ["a 0..10 closed 2 xy", "a 21..21 closed 1 z"]);
}

#[test]
fn a_record_between_two_sessions_makes_them_one() {
    let mut rig = Rig::new(rules(SESSION, 0));
    rig.record("a", "x", 20);
    rig.record("a", "y", 0);
    rig.record("a", "z", 10);
    assert_eq!(rig.table.open_keys(), 1);
    assert_eq!(rig.advance(1_000), ["a 0..20 closed 3 xyz"], "what came first gathers on");
}

#[test]
fn a_merged_session_sends_only_the_new_one() {
    let mut rig = Rig::new(rules(SESSION, 0).updates());
    rig.record("a", "x", 20);
    rig.record("a", "y", 0);
    rig.record("a", "z", 10);
    assert_eq!(rig.told(), ["a 20..20 update 1 x", "a 0..0 update 1 y", "a 0..20 update 3 xyz"]);
    assert_eq!(rig.advance(1_000), [""; 0]);
}

#[test]
fn a_session_that_fired_is_gone() {
    let mut rig = Rig::new(rules(SESSION, 0));
    rig.record("a", "x", 0);
    assert_eq!(rig.advance(11), ["a 0..0 closed 1 x"]);
    assert_eq!(rig.record("a", "y", 5), Verdict::Taken, "a new one");
    assert_eq!(rig.record("a", "z", 0), Verdict::Taken, "which an older one may join");
    assert_eq!(rig.advance(1_000), ["a 0..5 closed 2 yz"]);
}

#[test]
fn one_that_would_become_too_long_fires_first() {
    let mut rig = longest(20);
    rig.record("a", "u", 0);
    rig.record("a", "v", 10);
    rig.record("a", "w", 20);
    assert_eq!(rig.told(), [""; 0], "as long as it may be");
    rig.record("a", "x", 21);
    assert_eq!(rig.told(), ["a 0..20 longest 3 uvw"]);
    assert_eq!(rig.record("a", "y", 20), Verdict::Late(LateReason::AlreadyFired));
    assert_eq!(rig.told(), ["late 0..20 already_fired 0"]);
    rig.advance(30);
    assert_eq!(rig.record("a", "y", 20), Verdict::Late(LateReason::AlreadyFired), "until its close");
    rig.told();
    rig.advance(31);
    assert_eq!(rig.record("a", "y", 20), Verdict::Taken, "now it is gone, and the next is near");
    assert_eq!(rig.advance(1_000), ["a 20..21 closed 2 xy"]);
}

#[test]
fn an_older_record_can_make_one_too_long() {
    let mut rig = longest(20);
    rig.record("a", "x", 30);
    rig.record("a", "y", 40);
    rig.record("a", "z", 25);
    assert_eq!(rig.told(), [""; 0]);
    rig.record("a", "o", 19);
    assert_eq!(rig.told(), ["a 25..40 longest 3 xyz"]);
    assert_eq!(rig.advance(1_000), ["a 19..19 closed 1 o"]);
}

#[test]
fn one_that_is_late_itself_makes_nothing_fire() {
    let mut rig = longest(20);
    rig.record("a", "x", 30);
    rig.record("a", "y", 45);
    rig.record("a", "z", 40);
    rig.advance(35);
    assert_eq!(rig.record("a", "o", 20), Verdict::Late(LateReason::Closed));
    assert_eq!(rig.told(), ["late 20..20 closed 15"]);
    assert_eq!(rig.advance(1_000), ["a 30..45 closed 3 xyz"]);
}

#[test]
fn of_two_that_become_too_long_together_the_older_fires() {
    let mut rig = longest(20);
    rig.record("a", "x", 0);
    rig.record("a", "y", 8);
    rig.record("a", "z", 25);
    rig.record("a", "o", 17);
    assert_eq!(rig.told(), ["a 0..8 longest 2 xy"]);
    assert_eq!(rig.advance(1_000), ["a 17..25 closed 2 zo"]);
}

#[test]
fn one_that_outgrew_is_not_sent_again_by_updates() {
    let mut rig = Rig::new(rules(Kind::Session { gap: 10, longest: 10 }, 0).updates());
    rig.record("a", "x", 0);
    rig.record("a", "y", 10);
    rig.record("a", "z", 20);
    assert_eq!(rig.told(), ["a 0..0 update 1 x", "a 0..10 update 2 xy", "a 20..20 update 1 z"]);
}

#[test]
fn a_heartbeat_holds_no_offset_for_ever() {
    let mut rig = longest(50);
    let mut most = 0;
    for beat in 0..1_000 {
        rig.record("a", "x", beat * 5);
        rig.advance(beat * 5);
        let held = rig.next - rig.needed().unwrap();
        most = most.max(held);
        assert!(rig.cut().splits.len() <= 2);
    }
    // The open session and the one before it, two offsets a beat.
    assert!(most <= 2 * 2 * 12, "{most}");
    assert!(rig.table.open_keys() <= 2);
}

#[test]
fn a_replay_puts_back_what_had_fired() {
    // With `longest` below the gap, what fired later can lie around what fired before.
    let kind = Kind::Session { gap: 7, longest: 5 };
    let times = [0, 8, 1, 10, 4, 9, 14, 18, 21, 22];
    let mut rig = Rig::new(rules(kind, 2));
    for time in times {
        rig.record("a", "x", time);
    }
    let mut again = Rig::new(rules(kind, 2));
    for (high, time) in times.into_iter().enumerate() {
        let cut = again.cut();
        again.table = Table::resume(rules(kind, 2), &cut).unwrap();
        again.next = cut.needed.offset;
        for time in &times[cut.needed.offset as usize..high] {
            assert_eq!(again.record("a", "x", *time), Verdict::Replayed);
        }
        assert!(!again.table.is_replaying());
        again.record("a", "x", time);
    }
    assert_eq!(again.told(), rig.told());
    assert_eq!(again.record("a", "late", 4), Verdict::Late(LateReason::AlreadyFired));
    assert_eq!(again.told(), ["late 4..9 already_fired 0"]);
}

#[test]
fn what_outgrew_together_is_left_out_of_a_cut_together() {
    let kind = Kind::Session { gap: 6, longest: 9 };
    let mut rig = Rig::new(rules(kind, 0));
    rig.record("a", "v", 13);
    rig.record("a", "w", 0);
    rig.record("a", "x", 7);
    rig.record("a", "y", 1);
    assert_eq!(rig.told(), ["a 0..0 longest 1 w", "a 7..13 longest 2 vx"]);
    // Without "v" there is nothing that "w" and "y" would be too long with.
    let cut = rig.table.cut(rig.next, rig.next, CutLimit { splits: 1, from: 0 }).unwrap();
    assert_eq!((cut.needed.offset, cut.splits), (0, Vec::new()));
}
