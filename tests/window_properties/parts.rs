//! Copartitioned sources: a log for each, read in any order, by an owner that restarts.

use fusion_runtime::window::core::{Kind, Place, Sources, Span, Table, Verdict};
use proptest::prelude::*;

use crate::scenario::{Members, Shape, TOPICS, Told, kinds, open, record, rules, run_with, tell};

#[derive(Debug)]
struct Input {
    kind: Kind,
    grace: i64,
    complete: bool,
    logs: usize,
    /// In the order in which they are read: log, offset there, key, place.
    records: Vec<(usize, i64, char, Place)>,
    /// The log whose replay comes first.
    first: usize,
}

fn inputs(shape: Shape) -> impl Strategy<Value = Input> {
    let step = (
        0_i64..7,
        prop::sample::select(vec![0_i64, 0, 0, 3, 7, 12, 20]),
        any::<prop::sample::Index>(),
        prop::sample::select(vec!['a', 'a', 'b']),
    );
    let grace = prop::sample::select(vec![0_i64, 2, 5, 10]);
    (kinds(shape), grace, 1_usize..=3, prop::collection::vec(step, 1..40), 0_usize..3).prop_map(
        |((kind, complete), grace, logs, steps, first)| {
            let (mut now, mut offsets) = (0, vec![0_i64; logs]);
            let record = |(later, out_of_order, log, key): (i64, i64, prop::sample::Index, char)| {
                let log = log.index(logs);
                now += later;
                // As behind markers of transactions, offsets have gaps.
                offsets[log] += 1 + now % 2;
                let offset = offsets[log];
                let at = Place {
                    time: (now - out_of_order).max(0),
                    topic: log as u16 % TOPICS as u16,
                    partition: 0,
                    offset: log as i64 * 1_000 + offset,
                };
                (log, offset, key, at)
            };
            let records = steps.into_iter().map(record).collect();
            Input { kind, grace, complete, logs, records, first }
        },
    )
}

struct Owner {
    table: Table<char, Members>,
    sources: Sources,
    next: Vec<i64>,
}

impl Owner {
    fn new(input: &Input) -> Self {
        let table = Table::new(rules(input.kind, input.grace, input.complete), input.logs).unwrap();
        let mut sources = Sources::new(None, None);
        for _ in 0..input.logs {
            sources.assign(None, 0);
        }
        Owner { table, sources, next: vec![0; input.logs] }
    }

    fn give(&mut self, place: usize, record_: &(usize, i64, char, Place), told: &mut Vec<Told>) -> Verdict {
        let (log, offset, key, at) = *record_;
        self.sources.take(log, at.time, 0);
        let time = self.sources.now(0);
        let mut say = |event| {
            let mut told_ = tell(place as i64, event);
            if let Told::Fired { members, .. } = &mut told_ {
                members.sort_unstable();
            }
            told.push(told_);
        };
        self.next[log] = offset + 1;
        self.table.record(record(log, offset, offset, key, at), time, &mut say)
    }

    fn open(&self) -> Vec<(char, Span, Vec<i64>)> {
        let mut open = open(&self.table);
        open.iter_mut().for_each(|(.., members)| members.sort_unstable());
        open
    }

    fn restarted(&self, input: &Input, high: usize) -> Result<Owner, TestCaseError> {
        let parts = self.table.parts(&self.next).unwrap();
        let rules = rules(input.kind, input.grace, input.complete);
        let table = Table::resume_parts(rules, self.table.time(), &parts).unwrap();
        let mut sources = Sources::new(None, None);
        sources.restore(self.table.time());
        for log in 0..input.logs {
            sources.assign(self.sources.newest(log).map(|newest| newest.time), 0);
        }
        let mut again = Owner { table, sources, next: self.next.clone() };
        let mut told = Vec::new();
        for turn in 0..input.logs {
            let log = (input.first + turn) % input.logs;
            for (place, record) in input.records[..high].iter().enumerate() {
                if record.0 == log && record.1 >= parts[log].needed {
                    prop_assert_eq!(again.give(place, record, &mut told), Verdict::Replayed);
                }
            }
            let behind = again.table.is_replaying();
            again.table.reached(log, parts[log].high, &mut |_| {});
            // A log that runs ahead of the others' replay has to wait.
            if let Some(record) = input.records[high..].iter().find(|record| record.0 == log)
                && behind
                && again.table.is_replaying()
            {
                let next = again.next.clone();
                let sources = again.sources.clone();
                prop_assert_eq!(again.give(high, record, &mut told), Verdict::Hold);
                (again.next, again.sources) = (next, sources);
            }
        }
        prop_assert_eq!(told, vec![]);
        prop_assert!(!again.table.is_replaying());
        Ok(again)
    }
}

fn restart_everywhere(shape: Shape) {
    run_with(inputs(shape), |input| {
        let mut whole = Owner::new(&input);
        let mut all = Vec::new();
        for (place, record) in input.records.iter().enumerate() {
            whole.give(place, record, &mut all);
        }
        let mut owner = Owner::new(&input);
        for high in 0..=input.records.len() {
            let mut again = owner.restarted(&input, high)?;
            prop_assert_eq!(again.open(), owner.open(), "open at {}", high);
            let mut told = Vec::new();
            for (place, record) in input.records.iter().enumerate().skip(high) {
                again.give(place, record, &mut told);
            }
            let at = |told: &Told| match told {
                Told::Fired { at, .. } | Told::Late { at, .. } | Told::Refused { at } => *at,
            };
            let mut rest = all.iter().filter(|told| at(told) >= high as i64).cloned().collect::<Vec<_>>();
            told.sort();
            rest.sort();
            prop_assert_eq!(told, rest, "restarted at {}", high);
            prop_assert_eq!(again.open(), whole.open());
            if let Some(record) = input.records.get(high) {
                owner.give(high, record, &mut Vec::new());
            }
        }
        Ok(())
    });
}

mod restart_at_every_position {
    use super::{Shape, restart_everywhere};

    #[test]
    fn tumbling() {
        restart_everywhere(Shape::Tumbling { complete: false });
    }

    #[test]
    fn tumbling_complete() {
        restart_everywhere(Shape::Tumbling { complete: true });
    }

    #[test]
    fn hopping() {
        restart_everywhere(Shape::Hopping { complete: false });
    }

    #[test]
    fn hopping_complete() {
        restart_everywhere(Shape::Hopping { complete: true });
    }
}
