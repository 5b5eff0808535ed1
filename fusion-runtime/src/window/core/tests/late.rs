use super::*;

#[test]
fn a_window_closes_at_its_end_and_grace() {
    // The last moment at which it is open, and what is refused a moment later.
    for (kind, open, refused) in [
        (TUMBLING, 12, "late 0..10 closed 13"),
        (HOPPING, 12, "late 0..10 closed 13"),
        (SLIDING, 13, "late 0..10 closed 14"),
        (SESSION, 13, "late 0..0 closed 14"),
    ] {
        let mut rig = Rig::new(rules(kind, 3));
        rig.record("a", "x", 0);
        assert_eq!(rig.advance(open), [""; 0], "{kind:?}");
        assert_eq!(rig.record("a", "y", 0), Verdict::Taken, "{kind:?}");
        assert_eq!(rig.advance(open + 1).len(), 1, "{kind:?}");
        assert_eq!(rig.record("b", "z", 0), Verdict::Late(LateReason::Closed), "{kind:?}");
        assert_eq!(rig.told(), [refused]);
        assert_eq!(rig.table.open_keys(), 0, "{kind:?}");
    }
}

#[test]
fn time_moves_then_the_record_is_assigned_then_windows_fire() {
    let mut rig = Rig::new(rules(TUMBLING, 0));
    rig.record("a", "x", 5);
    let at = Place { time: 7, topic: 0, partition: 0, offset: 1 };
    let entry = Entry { log: 0, offset: 1, begin: 1, key: "a", item: "y", at, bytes: 1 };
    let time = Time { at: 10, reason: Reason::Closed };
    let mut told = Vec::new();
    let verdict = rig.table.record(entry, Some(time), &mut |event| told.push(text(event)));
    assert_eq!(verdict, Verdict::Late(LateReason::Closed));
    assert_eq!(told, ["late 0..10 closed 3", "a 0..10 closed 1 x"]);
}

#[test]
fn nothing_is_late_while_time_is_unknown() {
    for kind in [TUMBLING, HOPPING, SLIDING, SESSION] {
        let mut rig = Rig::new(rules(kind, 0));
        rig.record("a", "x", 1_000_000);
        assert_eq!(rig.record("a", "y", 0), Verdict::Taken);
        assert_eq!(rig.told(), [""; 0]);
    }
}

#[test]
fn late_is_judged_for_each_window() {
    let mut rig = Rig::new(rules(HOPPING, 0));
    rig.advance(11);
    assert_eq!(rig.record("a", "x", 7), Verdict::Taken);
    assert_eq!(rig.told(), ["late 0..10 closed 4"], "the window 5..15 took it");
    rig.advance(15);
    assert_eq!(rig.told(), [""; 0]);
    assert_eq!(rig.record("a", "y", 7), Verdict::Late(LateReason::Closed));
    assert_eq!(rig.told(), ["late 0..10 closed 8", "late 5..15 closed 8"]);
}

#[test]
fn a_sliding_record_can_be_late_for_its_own_window_only() {
    let mut rig = Rig::new(rules(SLIDING, 0));
    rig.record("a", "x", 20);
    rig.advance(17);
    assert_eq!(rig.record("a", "y", 15), Verdict::Taken);
    assert_eq!(rig.told(), ["late 5..15 closed 2"]);
    assert_eq!(rig.advance(40), ["a 10..20 closed 2 xy", "a 16..26 closed 1 x",]);
}

#[test]
fn a_negative_moment_belongs_to_no_window() {
    for kind in [TUMBLING, HOPPING] {
        let mut rig = Rig::new(rules(kind, 0));
        assert_eq!(rig.record("a", "x", -3), Verdict::Late(LateReason::Closed));
        assert_eq!(rig.table.open_keys(), 0);
    }
}
