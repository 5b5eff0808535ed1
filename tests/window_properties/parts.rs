//! Copartitioned sources: a log for each, read in any order, by an owner that restarts.

use fusion_runtime::window::core::{Far, Intake, Kind, Part, Place, Sources, Span, Table, Verdict};
use proptest::prelude::*;

use crate::scenario::{Members, Shape, TOPICS, Told, kinds, open, record, rules, run_with, tell};

const DAY: i64 = 24 * 60 * 60 * 1_000;
const MAX_FUTURE: i64 = 15;

#[derive(Debug)]
struct Input {
    kind: Kind,
    grace: i64,
    complete: bool,
    logs: usize,
    /// In the order in which they are read.
    records: Vec<Record>,
    /// The log whose replay comes first.
    first: usize,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    log: usize,
    /// In that log.
    offset: i64,
    key: char,
    at: Place,
    /// When it comes, while nothing is read again.
    clock: i64,
}

fn inputs(shape: Shape) -> impl Strategy<Value = Input> {
    let step = (
        prop_oneof![30 => 0_i64..7, 2 => Just(DAY - 10), 1 => Just(2 * DAY)],
        // Ahead, and too far ahead, by so little that a few steps of the clock make it ordinary, or ahead.
        prop_oneof![
            8 => prop::sample::select(vec![0_i64, 0, 0, 3, 7, 12, 20]),
            2 => -MAX_FUTURE - 12..-MAX_FUTURE,
            2 => -DAY - MAX_FUTURE - 12..-DAY - MAX_FUTURE + 4,
        ],
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
                // Which records a window needs that fired early depends on the order of the logs, which a replay may
                // change: and with it for how long is remembered what was too far.
                let out_of_order =
                    if complete && out_of_order < -DAY { out_of_order + DAY } else { out_of_order };
                // As behind markers of transactions, offsets have gaps.
                offsets[log] += 1 + now % 2;
                let offset = offsets[log];
                let at = Place {
                    time: (now - out_of_order).max(0),
                    topic: log as u16 % TOPICS as u16,
                    partition: 0,
                    offset: log as i64 * 1_000 + offset,
                };
                Record { log, offset, key, at, clock: now }
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

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Became {
    Skipped,
    Given(Verdict),
}

impl Owner {
    fn new(input: &Input) -> Self {
        let table = Table::new(rules(input.kind, input.grace, input.complete), input.logs).unwrap();
        let mut sources = Sources::new(None, Some(MAX_FUTURE));
        for _ in 0..input.logs {
            sources.assign(None, 0);
        }
        Owner { table, sources, next: vec![0; input.logs] }
    }

    fn give(&mut self, place: usize, record_: &Record, clock: i64, told: &mut Vec<Told>) -> Became {
        let Record { log, offset, key, at, .. } = *record_;
        let time = match self.sources.take_at(log, offset, at.time, clock) {
            Intake::Taken | Intake::Ahead => self.sources.now(clock),
            Intake::Again => None,
            Intake::Skipped(_) => {
                // As whoever reads does.
                self.table.reached(log, offset + 1, &mut |_| {});
                self.next[log] = offset + 1;
                return Became::Skipped;
            }
        };
        let mut say = |event| {
            let mut told_ = tell(place as i64, event);
            if let Told::Fired { members, .. } = &mut told_ {
                members.sort_unstable();
            }
            told.push(told_);
        };
        self.next[log] = offset + 1;
        Became::Given(self.table.record(record(log, offset, offset, key, at), time, &mut say))
    }

    /// What a commit remembers.
    fn cut(&mut self) -> (Vec<Part>, Vec<Far>) {
        let parts = self.table.parts(&self.next).unwrap();
        let far = parts.iter().enumerate().map(|(log, part)| self.sources.far(log, part.needed).clone());
        let far = far.collect();
        (parts, far)
    }

    fn open(&self) -> Vec<(char, Span, Vec<i64>)> {
        let mut open = open(&self.table);
        open.iter_mut().for_each(|(.., members)| members.sort_unstable());
        open
    }

    /// By whoever has the partitions next, at a clock that has gone on.
    fn restarted(&mut self, input: &Input, high: usize, clock: i64) -> Result<Owner, TestCaseError> {
        let (parts, far) = self.cut();
        let rules = rules(input.kind, input.grace, input.complete);
        let table = Table::resume_parts(rules, self.table.time(), &parts).unwrap();
        let mut sources = Sources::new(None, Some(MAX_FUTURE));
        sources.restore(self.table.time());
        for (log, far) in far.iter().enumerate() {
            sources.assign(self.sources.newest(log), clock);
            // A commit has nothing else of it.
            sources.resume(log, parts[log].high, Far::new(far.stretches().to_vec()));
        }
        let mut again = Owner { table, sources, next: self.next.clone() };
        let mut told = Vec::new();
        for turn in 0..input.logs {
            let log = (input.first + turn) % input.logs;
            for (place, record) in input.records[..high].iter().enumerate() {
                if record.log == log && record.offset >= parts[log].needed {
                    let became = again.give(place, record, clock, &mut told);
                    prop_assert!(matches!(became, Became::Skipped | Became::Given(Verdict::Replayed)));
                }
            }
            let behind = again.table.is_replaying();
            again.table.reached(log, parts[log].high, &mut |_| {});
            // A log that runs ahead of the others' replay has to wait.
            if let Some(record) = input.records[high..].iter().find(|record| record.log == log)
                && behind
                && again.table.is_replaying()
            {
                let next = again.next.clone();
                let sources = again.sources.clone();
                let became = again.give(high, record, clock, &mut told);
                prop_assert!(matches!(became, Became::Skipped | Became::Given(Verdict::Hold)));
                (again.next, again.sources) = (next, sources);
            }
        }
        prop_assert_eq!(told, vec![]);
        prop_assert!(!again.table.is_replaying());
        prop_assert_eq!(again.table.time(), self.table.time());
        Ok(again)
    }
}

fn restart_everywhere(shape: Shape) {
    run_with(inputs(shape), |input| {
        let mut whole = Owner::new(&input);
        let mut all = Vec::new();
        for (place, record) in input.records.iter().enumerate() {
            // What a cut forgets decides, so all make the same.
            whole.cut();
            whole.give(place, record, record.clock, &mut all);
        }
        let mut owner = Owner::new(&input);
        for high in 0..=input.records.len() {
            // Later than anything that was read before.
            let clock = input.records.get(high).or(input.records.last()).map_or(0, |record| record.clock);
            let mut again = owner.restarted(&input, high, clock)?;
            prop_assert_eq!(again.open(), owner.open(), "open at {}", high);
            let mut told = Vec::new();
            for (place, record) in input.records.iter().enumerate().skip(high) {
                again.cut();
                again.give(place, record, record.clock, &mut told);
            }
            let at = |told: &Told| match told {
                Told::Fired { at, .. } | Told::Late { at, .. } | Told::Refused { at } => *at,
            };
            let mut rest = all.iter().filter(|told| at(told) >= high as i64).cloned().collect::<Vec<_>>();
            told.sort();
            rest.sort();
            prop_assert_eq!(told, rest, "restarted at {}", high);
            prop_assert_eq!(again.open(), whole.open());
            if high % 3 == 2 {
                // The next one follows one that has begun anew.
                owner = owner.restarted(&input, high, clock)?;
            }
            owner.cut();
            if let Some(record) = input.records.get(high) {
                owner.give(high, record, record.clock, &mut Vec::new());
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
