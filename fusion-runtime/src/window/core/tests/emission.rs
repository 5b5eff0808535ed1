use super::*;

#[test]
fn windows_fire_in_the_order_of_their_ends() {
    for kind in [TUMBLING, Kind::Session { gap: 3, longest: 100 }] {
        let mut rig = Rig::new(rules(kind, 0));
        for (key, time) in [("a", 35), ("b", 15), ("a", 5), ("c", 25), ("b", 45)] {
            rig.record(key, "x", time);
        }
        let told = rig.advance(100);
        let keys = told.iter().map(|told| &told[..1]).collect::<String>();
        assert_eq!(keys, "abcab", "{told:?}");
    }
    let mut rig = Rig::new(rules(SLIDING, 0));
    rig.record("a", "x", 20);
    rig.record("b", "y", 15);
    rig.record("a", "z", 12);
    let ends = ["a 2..12 closed 1 z", "b 5..15 closed 1 y", "a 10..20 closed 2 xz", "a 13..23 closed 1 x"];
    assert_eq!(rig.advance(100), ends);
}

#[test]
fn keys_of_one_end_fire_as_they_came() {
    let mut rig = Rig::new(rules(TUMBLING, 0));
    for key in ["c", "a", "b", "a"] {
        rig.record(key, "x", 5);
    }
    assert_eq!(rig.advance(10), ["c 0..10 closed 1 x", "a 0..10 closed 2 xx", "b 0..10 closed 1 x"]);
}

#[test]
fn the_reason_is_that_of_the_time() {
    let mut rig = Rig::new(rules(TUMBLING, 0));
    rig.record("a", "x", 5);
    rig.record("a", "y", 15);
    assert_eq!(rig.advance_by(Time { at: 10, reason: Reason::Idle }), ["a 0..10 idle 1 x"]);
    rig.table.drain(None, &mut |event| rig.told.push(text(event)));
    assert_eq!(rig.told(), ["a 10..20 drained 1 y"]);
    assert_eq!(rig.table.time(), Some(20));
}

#[test]
fn a_drain_leaves_nothing_open() {
    for kind in [TUMBLING, HOPPING, SLIDING, SESSION, Kind::Session { gap: 5, longest: 8 }] {
        let mut rig = Rig::new(rules(kind, 7));
        for time in [5, 9, 14, 17, 30, 28] {
            rig.record("a", "x", time);
        }
        rig.table.drain(None, &mut |event| rig.told.push(text(event)));
        assert!(rig.told().iter().any(|told| told.contains("drained")), "{kind:?}");
        assert_eq!((rig.table.open_keys(), rig.table.open_bytes(), rig.needed()), (0, 0, None), "{kind:?}");
        assert_eq!(rig.table.last_close(), None);
    }
}

#[test]
fn updates_follow_each_record_and_nothing_follows_the_close() {
    let mut rig = Rig::new(rules(TUMBLING, 0).updates());
    rig.record("a", "x", 1);
    rig.record("a", "y", 2);
    assert_eq!(rig.told(), ["a 0..10 update 1 x", "a 0..10 update 2 xy"]);
    assert_eq!(rig.advance(10), [""; 0]);
    rig.record("a", "z", 3);
    assert_eq!(rig.told(), ["late 0..10 closed 7"]);
}

#[test]
fn updates_of_windows_that_overlap() {
    let mut rig = Rig::new(rules(HOPPING, 0).updates());
    rig.record("a", "x", 7);
    assert_eq!(rig.told(), ["a 0..10 update 1 x", "a 5..15 update 1 x"]);
    let mut rig = Rig::new(rules(SLIDING, 0).updates());
    rig.record("a", "x", 20);
    assert_eq!(rig.told(), ["a 10..20 update 1 x"]);
    rig.record("a", "y", 15);
    assert_eq!(
        rig.told(),
        ["a 5..15 update 1 y", "a 10..20 update 2 xy", "a 16..26 update 1 x"],
        "the window behind the record is there because of it"
    );
    rig.record("a", "z", 15);
    assert_eq!(
        rig.told(),
        ["a 5..15 update 2 yz", "a 10..20 update 3 xyz"],
        "that window is there already, and did not change"
    );
    assert_eq!(rig.advance(1_000), [""; 0]);
    assert_eq!((rig.table.open_keys(), rig.needed()), (0, None));
}

#[test]
fn a_result_has_the_last_moment_of_its_window() {
    assert_eq!(TUMBLING.timestamp(10), 9);
    assert_eq!(HOPPING.timestamp(10), 9);
    assert_eq!(SLIDING.timestamp(10), 10);
    assert_eq!(SESSION.timestamp(10), 10);
}

#[test]
fn what_is_open_is_counted_and_can_be_seen() {
    // Sliding: those that end at 11, 18, 21 and 11, and those that begin behind 11 and 18.
    for (kind, windows, bytes) in
        [(TUMBLING, 3, 400), (HOPPING, 6, 800), (SLIDING, 6, 400), (SESSION, 2, 400)]
    {
        let mut rig = Rig::new(rules(kind, 0));
        for (key, time) in [("a", 11), ("a", 18), ("b", 11), ("a", 21)] {
            rig.record(key, "x", time);
        }
        let mut seen = 0;
        rig.table.visit_open(|_, _, _, _| seen += 1);
        assert_eq!((seen, rig.table.open_keys()), (windows, windows), "{kind:?}");
        assert_eq!(rig.table.open_bytes(), bytes, "{kind:?}");
        rig.advance(1_000);
        assert_eq!((rig.table.open_keys(), rig.table.open_bytes()), (0, 0), "{kind:?}");
    }
}

#[test]
fn sliding_windows_near_zero_share_the_first() {
    let mut rig = Rig::new(rules(SLIDING, 0));
    rig.record("a", "x", 3);
    rig.record("a", "y", 5);
    assert_eq!(rig.advance(1_000), ["a 0..10 closed 2 xy", "a 4..14 closed 1 y"]);
    let mut rig = Rig::new(rules(SLIDING, 0).negative_starts());
    rig.record("a", "x", 3);
    assert_eq!(rig.advance(1_000), ["a -7..3 closed 1 x"]);
}
