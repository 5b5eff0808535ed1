//! The rules, one by one.

mod claims;
mod early;
mod emission;
mod late;
mod need;
mod sessions;
mod time;

use super::*;

/// What a window gathered: the names of its records, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Text(String);

impl Aggregate for Text {
    type Item = &'static str;
    fn add(&mut self, item: &'static str, _: &Place) {
        self.0.push_str(item);
    }
}

fn rules(kind: Kind, grace: i64) -> Rules<Text> {
    let ways = Ways {
        copy_item: |item: &&'static str| Some(*item),
        copy: |held: &Text| Some(held.clone()),
        merge: |held: &mut Text, other: Text| held.0.push_str(&other.0),
    };
    Rules::new(kind, grace, ways)
}

const TUMBLING: Kind = Kind::Tumbling { size: 10 };
const HOPPING: Kind = Kind::Hopping { size: 10, advance: 5 };
const SLIDING: Kind = Kind::Sliding { size: 10 };
const SESSION: Kind = Kind::Session { gap: 10, longest: i64::MAX };

/// A table over one log, and what it told since the last look.
struct Rig {
    rules: Rules<Text>,
    table: Table<&'static str, Text>,
    next: i64,
    told: Vec<String>,
}

impl Rig {
    fn new(rules: Rules<Text>) -> Self {
        let table = Table::new(rules.clone(), 1).unwrap();
        Rig { rules, table, next: 0, told: Vec::new() }
    }

    fn record(&mut self, key: &'static str, item: &'static str, time: i64) -> Verdict {
        self.of_topic(0, key, item, time)
    }

    fn of_topic(&mut self, topic: u16, key: &'static str, item: &'static str, time: i64) -> Verdict {
        let offset = self.next;
        self.next += 1;
        let at = Place { time, topic, partition: 0, offset };
        let entry = Entry { log: 0, offset, begin: offset, key, item, at, bytes: 100 };
        self.table.record(entry, None, &mut |event| self.told.push(text(event)))
    }

    fn advance(&mut self, at: i64) -> Vec<String> {
        self.advance_by(Time { at, reason: Reason::Closed })
    }

    fn advance_by(&mut self, time: Time) -> Vec<String> {
        let offset = self.next;
        self.next += 1;
        self.table.advance(Some(offset), time, &mut |event| self.told.push(text(event)));
        self.told()
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    fn cut(&self) -> Cut {
        self.table.cut(self.next, self.next, CutLimit::NONE).unwrap()
    }

    fn needed(&self) -> Option<i64> {
        self.table.needed(0).map(|needed| needed.offset)
    }
}

fn text(event: Event<&'static str, Text>) -> String {
    match event {
        Event::Fired { key, span: Span { start, end }, reason, count, held } => {
            format!("{key} {start}..{end} {reason} {count} {}", held.0)
        }
        Event::Late(Late { span: Span { start, end }, reason, lateness, .. }) => {
            format!("late {start}..{end} {} {lateness}", reason.as_str())
        }
    }
}

#[test]
fn what_cannot_be_declared() {
    let error = |rules: Rules<Text>| Table::<&str, _>::new(rules, 1).err();
    assert_eq!(error(rules(Kind::Tumbling { size: 0 }, 0)), Some(RulesError::NoSize));
    assert_eq!(error(rules(Kind::Session { gap: 1, longest: 0 }, 0)), Some(RulesError::NoSize));
    assert_eq!(error(rules(Kind::Hopping { size: 5, advance: 6 }, 0)), Some(RulesError::AdvanceBeyondSize));
    assert_eq!(error(rules(TUMBLING, -1)), Some(RulesError::NegativeGrace));
    assert_eq!(error(rules(SLIDING, 0).complete(2)), Some(RulesError::CompleteNeedsFixedWindows));
    assert_eq!(error(rules(SESSION, 0).complete(2)), Some(RulesError::CompleteNeedsFixedWindows));
    assert_eq!(error(rules(TUMBLING, 0).complete(2).updates()), Some(RulesError::CompleteWithUpdates));
    assert_eq!(error(rules(TUMBLING, 0).complete(0)), Some(RulesError::Topics(0)));
    assert_eq!(error(rules(TUMBLING, 0).complete(65)), Some(RulesError::Topics(65)));
    assert_eq!(error(rules(TUMBLING, 0).complete(64)), None);
    let several = Table::<&str, _>::new(rules(SESSION, 0), 2).err();
    assert_eq!(several, Some(RulesError::SeveralLogsNeedFixedWindows));
}

#[test]
fn starts_are_multiples_of_the_step_and_not_negative() {
    let starts = |kind: Kind, moment, negative| kind.starts(moment, negative).collect::<Vec<_>>();
    assert_eq!(starts(TUMBLING, 0, false), [0]);
    assert_eq!(starts(TUMBLING, 9, false), [0]);
    assert_eq!(starts(TUMBLING, 10, false), [10]);
    assert_eq!(starts(HOPPING, 12, false), [5, 10]);
    assert_eq!(starts(HOPPING, 3, false), [0]);
    assert_eq!(starts(HOPPING, 3, true), [-5, 0]);
    assert_eq!(starts(Kind::Hopping { size: 12, advance: 5 }, 21, false), [10, 15, 20]);
    assert_eq!(starts(Kind::Hopping { size: 12, advance: 5 }, 22, false), [15, 20]);
    assert!(starts(TUMBLING, -1, false).is_empty());
    assert_eq!(starts(TUMBLING, -1, true), [-10]);
    let last = |kind: Kind| kind.starts(i64::MAX, false).take(9).collect::<Vec<_>>();
    assert_eq!(last(Kind::Tumbling { size: 1 }), [i64::MAX]);
    assert_eq!(last(Kind::Hopping { size: 14, advance: 7 }), [i64::MAX - 7, i64::MAX]);
}

#[test]
fn the_ends_of_time_do_no_harm() {
    // The last of these sizes begins at the last moment.
    let ends =
        [Kind::Tumbling { size: 1 }, Kind::Tumbling { size: 7 }, Kind::Hopping { size: 14, advance: 7 }];
    let others = [TUMBLING, HOPPING, SLIDING, SESSION, Kind::Session { gap: 10, longest: 20 }];
    for kind in ends.into_iter().chain(others) {
        for rules in [rules(kind, i64::MAX), rules(kind, 0), rules(kind, 0).negative_starts()] {
            let mut rig = Rig::new(rules);
            for time in [0, i64::MAX, i64::MIN, i64::MAX - 5, -1, i64::MAX] {
                rig.record("a", "x", time);
            }
            rig.advance(i64::MAX);
            rig.record("a", "x", 0);
        }
    }
}
