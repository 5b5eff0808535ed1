use super::*;

#[test]
fn it_is_the_lowest_offset_of_an_open_window() {
    for kind in [TUMBLING, HOPPING, SESSION] {
        let mut rig = Rig::new(rules(kind, 0));
        assert_eq!(rig.needed(), None);
        rig.record("a", "x", 45);
        rig.record("b", "y", 5);
        rig.advance(1);
        assert_eq!(rig.needed(), Some(0), "{kind:?}");
        rig.record("a", "z", 65);
        rig.advance(58);
        assert_eq!(rig.needed(), Some(3), "{kind:?}");
        rig.advance(1_000);
        assert_eq!(rig.needed(), None, "{kind:?}");
    }
}

#[test]
fn its_time_is_that_before_the_record() {
    for kind in [TUMBLING, SLIDING, SESSION] {
        let mut rig = Rig::new(rules(kind, 0));
        rig.advance(3);
        let at = Place { time: 30, topic: 0, partition: 0, offset: 0 };
        let entry = Entry { log: 0, offset: 1, begin: 0, key: "a", item: "x", at, bytes: 1 };
        rig.table.record(entry, Some(Time { at: 30, reason: Reason::Closed }), &mut |_| {});
        let needed = rig.table.needed(0);
        assert_eq!(needed, Some(Needed { offset: 1, time: Some(3), begin: 0 }), "{kind:?}");
    }
}

#[test]
fn a_sliding_record_is_needed_while_a_window_can_begin_behind_it() {
    let mut rig = Rig::new(rules(SLIDING, 2));
    rig.record("a", "x", 20);
    assert_eq!(rig.advance(23), ["a 10..20 closed 1 x"]);
    rig.advance(33);
    assert_eq!(rig.needed(), Some(0), "21..31 may still come to be");
    rig.advance(34);
    assert_eq!(rig.needed(), None);
}

#[test]
fn a_record_that_only_others_windows_took_inherits_their_need() {
    let mut rig = Rig::new(rules(SLIDING, 0));
    rig.record("a", "x", 20);
    rig.advance(17);
    rig.record("a", "y", 15);
    rig.told();
    rig.advance(26);
    // 20 is kept until 31; 15 was taken only because 20 was there.
    assert_eq!(rig.needed(), Some(0));
    let cut = rig.cut();
    assert_eq!((cut.needed.offset, cut.needed.time), (0, None));
}

#[test]
fn with_nothing_open_a_cut_begins_at_its_end() {
    let mut rig = Rig::new(rules(TUMBLING, 0));
    rig.record("a", "x", 5);
    rig.advance(40);
    let needed = Needed { offset: 2, time: Some(40), begin: 2 };
    assert_eq!(rig.cut(), Cut { needed, high: 2, splits: Vec::new() });
    let mut again = Table::<&str, _>::resume(rig.rules.clone(), &rig.cut()).unwrap();
    assert_eq!((again.time(), again.is_replaying()), (Some(40), false));
    let at = Place { time: 5, topic: 0, partition: 0, offset: 2 };
    let entry = Entry { log: 0, offset: 2, begin: 2, key: "a", item: "x", at, bytes: 1 };
    assert_eq!(again.record(entry, None, &mut |_| {}), Verdict::Late(LateReason::Closed));
}

#[test]
fn what_is_replayed_is_decided_again_and_says_nothing() {
    let mut rig = Rig::new(rules(TUMBLING, 0).complete(2));
    rig.of_topic(0, "a", "x", 5);
    rig.of_topic(0, "b", "y", 5);
    rig.of_topic(1, "a", "z", 5);
    let cut = rig.cut();
    assert_eq!((cut.needed.offset, cut.high), (0, 3));
    let mut again = Rig::new(rig.rules.clone());
    again.table = Table::resume(rig.rules.clone(), &cut).unwrap();
    assert_eq!(again.of_topic(0, "a", "x", 5), Verdict::Replayed);
    assert_eq!(again.table.cut(1, 1, CutLimit::NONE), None, "the last cut is still the one to remember");
    assert_eq!(again.of_topic(0, "b", "y", 5), Verdict::Replayed);
    assert_eq!(again.of_topic(1, "a", "z", 5), Verdict::Replayed);
    assert_eq!(again.told(), [""; 0], "a fired again, below the cut");
    assert_eq!(again.cut(), cut);
    assert_eq!(again.of_topic(0, "a", "late", 5), Verdict::Late(LateReason::AlreadyFired));
    again.told();
    assert_eq!(again.advance(10), ["b 0..10 closed 1 y"]);
}

#[test]
fn a_replay_is_over_where_the_read_ends_and_not_at_a_record() {
    let mut rig = Rig::new(rules(TUMBLING, 0));
    rig.record("a", "x", 5);
    let cut = Cut { high: 4, ..rig.cut() };
    let mut again = Table::<&str, _>::resume(rig.rules.clone(), &cut).unwrap();
    assert!(again.is_replaying());
    again.reached(0, 3, &mut |_| {});
    assert!(again.is_replaying());
    again.reached(0, 4, &mut |_| {});
    assert!(!again.is_replaying(), "behind the record was the marker of a transaction");
}

#[test]
fn time_waits_for_the_replay_of_copartitioned_logs() {
    let parts = [Part { needed: 0, high: 2 }, Part { needed: 5, high: 5 }];
    let mut table = Table::<&str, _>::resume_parts(rules(TUMBLING, 0), Some(3), &parts).unwrap();
    let entry = |log, offset| {
        let at = Place { time: 5, topic: 0, partition: 0, offset };
        Entry { log, offset, begin: offset, key: "a", item: "x", at, bytes: 1 }
    };
    let mut told = Vec::new();
    let mut hear = |event| told.push(text(event));
    let time = Time { at: 12, reason: Reason::Idle };
    assert_eq!(table.record(entry(1, 5), Some(time), &mut hear), Verdict::Hold);
    table.advance(None, time, &mut hear);
    assert_eq!(table.record(entry(0, 0), None, &mut hear), Verdict::Replayed);
    assert_eq!((table.time(), table.parts(&[2, 5])), (Some(3), None));
    assert_eq!(table.record(entry(0, 1), None, &mut hear), Verdict::Replayed);
    assert_eq!(table.time(), Some(12));
    assert_eq!(table.parts(&[2, 5]).unwrap(), [Part { needed: 2, high: 2 }, parts[1]]);
    assert_eq!(told, ["a 0..10 idle 2 xx"]);
}
