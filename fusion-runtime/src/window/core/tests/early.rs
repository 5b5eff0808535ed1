use super::*;

#[test]
fn a_window_fires_once_all_topics_have_spoken_for_its_key() {
    let mut rig = Rig::new(rules(TUMBLING, 0).complete(2));
    rig.of_topic(0, "a", "x", 1);
    rig.of_topic(0, "a", "y", 2);
    rig.of_topic(1, "b", "z", 2);
    assert_eq!(rig.told(), [""; 0]);
    assert_eq!(rig.of_topic(1, "a", "z", 3), Verdict::Taken);
    assert_eq!(rig.told(), ["a 0..10 complete 3 xyz"]);
    assert_eq!(rig.of_topic(0, "a", "late", 4), Verdict::Late(LateReason::AlreadyFired));
    assert_eq!(rig.told(), ["late 0..10 already_fired 0"]);
    assert_eq!(rig.advance(10), ["b 0..10 closed 1 z"], "incomplete, and once either way");
    assert_eq!(rig.of_topic(0, "a", "late", 4), Verdict::Late(LateReason::Closed));
}

#[test]
fn what_fired_early_is_needed_until_it_closes() {
    let mut rig = Rig::new(rules(TUMBLING, 5).complete(2));
    rig.of_topic(0, "a", "x", 1);
    rig.of_topic(1, "a", "y", 1);
    assert_eq!((rig.table.open_keys(), rig.table.open_bytes()), (1, 0), "but holds nothing");
    rig.advance(14);
    assert_eq!(rig.needed(), Some(0));
    rig.advance(15);
    assert_eq!((rig.needed(), rig.table.open_keys()), (None, 0));
}

#[test]
fn each_hopping_window_is_complete_for_itself() {
    let mut rig = Rig::new(rules(HOPPING, 0).complete(2));
    rig.of_topic(0, "a", "x", 3);
    rig.of_topic(1, "a", "y", 7);
    assert_eq!(rig.told(), ["a 0..10 complete 2 xy"]);
    assert_eq!(rig.of_topic(0, "a", "z", 8), Verdict::Taken, "by 5..15");
    assert_eq!(rig.told(), ["late 0..10 already_fired 0", "a 5..15 complete 2 yz"]);
    assert_eq!(rig.of_topic(0, "a", "z", 9), Verdict::Late(LateReason::AlreadyFired));
}

#[test]
fn enough_can_be_what_was_gathered() {
    let mut rig = Rig::new(rules(TUMBLING, 0).complete_when(|held: &Text| held.0.len() >= 3));
    rig.record("a", "x", 1);
    rig.record("a", "yz", 1);
    assert_eq!(rig.told(), ["a 0..10 complete 2 xyz"]);
}
