//! What comes: random records, and the log that they make.

use std::cell::Cell;

use fusion_runtime::window::core::{
    Aggregate, Claim, Claims, Control, CutLimit, Entry, Event, Kind, LateReason, Newest, Place, Reason,
    Rules, Span, Table, Time, Verdict, Ways,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

pub const TOPICS: u32 = 2;
/// Unless `PROPTEST_CASES` asks for more.
const CASES: u32 = 1_000;
const LEASE: i64 = 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Tumbling { complete: bool },
    Hopping { complete: bool },
    Sliding,
    Session { longest: bool },
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub kind: Kind,
    pub grace: i64,
    pub complete: bool,
    pub updates: bool,
    /// How many sessions that outgrew `longest` a commit remembers, while the log has what the others follow from.
    pub splits: usize,
    pub log: Vec<Logged>,
}

#[derive(Clone, Debug)]
pub enum Logged {
    /// A record, and the time if it moves it.
    Record {
        key: char,
        at: Place,
        time: Option<Time>,
    },
    Control(Control),
    /// Everything fires.
    Drain,
}

/// One record, and how it differs from its predecessor.
#[derive(Clone, Copy, Debug)]
struct Step {
    later: i64,
    out_of_order: i64,
    key: char,
    topic: u16,
    control: bool,
    drain: bool,
}

/// The offsets of the records that were gathered, in the order in which they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Members(pub Vec<i64>);

impl Aggregate for Members {
    type Item = ();
    fn add(&mut self, (): (), at: &Place) {
        self.0.push(at.offset);
    }
}

/// What is told of, by the offset that caused it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Fired {
        at: i64,
        key: char,
        span: Span,
        reason: Reason,
        members: Vec<i64>,
    },
    Late {
        at: i64,
        span: Span,
        reason: LateReason,
    },
    /// Every window refused it.
    Refused {
        at: i64,
    },
}

pub fn run(shape: Shape, check: impl Fn(&Scenario) -> Result<(), TestCaseError>) {
    run_with(scenarios(shape), |scenario| check(&scenario));
}

pub fn run_with<S: Strategy>(strategy: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config::default();
    let config = Config { cases: config.cases.max(CASES), failure_persistence: None, ..config };
    if let Err(error) = TestRunner::new(config).run(&strategy, check) {
        panic!("{error}");
    }
}

pub fn kinds(shape: Shape) -> BoxedStrategy<(Kind, bool)> {
    match shape {
        Shape::Tumbling { complete } => {
            (5_i64..12).prop_map(move |size| (Kind::Tumbling { size }, complete)).boxed()
        }
        Shape::Hopping { complete } => (2_i64..12)
            .prop_flat_map(|size| (Just(size), 1..=size))
            .prop_map(move |(size, advance)| (Kind::Hopping { size, advance }, complete))
            .boxed(),
        Shape::Sliding => (3_i64..10).prop_map(|size| (Kind::Sliding { size }, false)).boxed(),
        Shape::Session { longest } => (3_i64..9, 5_i64..40)
            .prop_map(move |(gap, most)| {
                (Kind::Session { gap, longest: if longest { most } else { i64::MAX } }, false)
            })
            .boxed(),
    }
}

fn scenarios(shape: Shape) -> impl Strategy<Value = Scenario> {
    let step = (
        0_i64..7,
        prop::sample::select(vec![0, 0, 0, 3, 7, 12, 20]),
        prop::sample::select(vec!['a', 'a', 'b']),
        0..TOPICS as u16,
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.02),
    );
    let step = step.prop_map(|(later, out_of_order, key, topic, control, drain)| Step {
        later,
        out_of_order,
        key,
        topic,
        control,
        drain,
    });
    let grace = prop::sample::select(vec![0_i64, 2, 5, 10]);
    let splits = prop::sample::select(vec![0, 0, 1, 2, usize::MAX]);
    let options = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.3), splits);
    (kinds(shape), grace, options, prop::collection::vec(step, 1..40)).prop_map(
        |((kind, complete), grace, (far, controls, updates, splits), steps)| Scenario {
            kind,
            grace,
            complete,
            updates: updates && !complete,
            splits,
            log: log(far, controls, &steps),
        },
    )
}

/// `far`: another key's record, far ahead, that is needed to the end. `controls`: time moves by control records, and by
/// the records themselves otherwise.
fn log(far: bool, controls: bool, steps: &[Step]) -> Vec<Logged> {
    let mut log = Vec::new();
    if far {
        let at = Place { time: 100_000, topic: 0, partition: 0, offset: 0 };
        log.push(Logged::Record { key: 'z', at, time: None });
    }
    let (mut now, mut newest) = (0, i64::MIN);
    for step in steps {
        now += step.later;
        let time = (now - step.out_of_order).max(0);
        newest = newest.max(time);
        let at = Place { time, topic: step.topic, partition: 0, offset: log.len() as i64 };
        let moved = Time { at: newest, reason: Reason::Closed };
        log.push(Logged::Record { key: step.key, at, time: (!controls).then_some(moved) });
        if controls && step.control {
            log.push(Logged::Control(control(now, newest, step)));
        }
        if step.drain {
            log.push(Logged::Drain);
        }
    }
    log
}

/// Some claims are of one of the two partitions only, some are idle, and some make the others expire.
fn control(now: i64, newest: i64, step: &Step) -> Control {
    let claim = |partition: i32| Claim {
        topic: 0,
        partition,
        newest: Some(Newest { time: newest - i64::from(partition), arrived: now }),
        idle: step.out_of_order > 10,
    };
    let claims = match step.later {
        1 => vec![claim(0)],
        2 => vec![claim(1)],
        _ => vec![claim(0), claim(1)],
    };
    let jump = if step.later == 6 { LEASE } else { 0 };
    Control { stamp: now + jump, lease: Some(LEASE), counts: vec![2], claims }
}

pub fn rules(kind: Kind, grace: i64, complete: bool) -> Rules<Members> {
    let ways = Ways {
        copy_item: |(): &()| Some(()),
        copy: |held: &Members| Some(held.clone()),
        merge: |held: &mut Members, other: Members| held.0.extend(other.0),
    };
    let rules = Rules::new(kind, grace, ways);
    if complete { rules.complete(TOPICS) } else { rules }
}

pub fn record(log: usize, offset: i64, begin: i64, key: char, at: Place) -> Entry<char, ()> {
    Entry { log, offset, begin, key, item: (), at, bytes: 1 }
}

/// The owner of a log.
pub struct Owner {
    pub table: Table<char, Members>,
    pub claims: Claims,
    /// What the last commit needed: nothing below it is there any more.
    needed: Cell<i64>,
}

impl Scenario {
    pub fn rules(&self) -> Rules<Members> {
        let rules = rules(self.kind, self.grace, self.complete);
        if self.updates { rules.updates() } else { rules }
    }

    pub fn owner(&self) -> Owner {
        self.owner_of(Table::new(self.rules(), 1).unwrap(), 0)
    }

    /// Each declares another lease than those before.
    fn owner_of(&self, table: Table<char, Members>, needed: i64) -> Owner {
        Owner { table, claims: Claims::new(needed % 3 * LEASE), needed: Cell::new(needed) }
    }

    /// From what a commit at `high` remembers, by replay up to there.
    pub fn restarted(&self, owner: &Owner, high: usize) -> Result<Owner, TestCaseError> {
        let begin = owner.claims.begin().unwrap_or(high as i64);
        let limit = CutLimit { splits: self.splits, from: owner.needed.get() };
        let cut = owner.table.cut(high as i64, begin, limit).unwrap();
        prop_assert!(cut.needed.begin <= cut.needed.offset && cut.needed.offset <= high as i64);
        prop_assert!(cut.needed.offset >= owner.needed.get(), "a commit goes back");
        owner.needed.set(cut.needed.offset);
        let mut again = self.owner_of(Table::resume(self.rules(), &cut).unwrap(), cut.needed.offset);
        for offset in cut.needed.begin..high as i64 {
            if offset < cut.needed.offset {
                if let Logged::Control(control) = &self.log[offset as usize] {
                    again.claims.read(offset, control).unwrap();
                }
                continue;
            }
            prop_assert!(
                again.table.cut(offset, offset, CutLimit::NONE).is_none(),
                "a cut in the middle of a replay"
            );
            let mut told = Vec::new();
            again.give(&self.log[offset as usize], offset, &mut told);
            prop_assert_eq!(told, vec![], "a replay says nothing");
        }
        again.table.reached(0, high as i64, &mut |_| {});
        prop_assert!(!again.table.is_replaying());
        Ok(again)
    }
}

impl Owner {
    pub fn give(&mut self, logged: &Logged, offset: i64, told: &mut Vec<Told>) {
        match logged {
            Logged::Record { key, at, time } => {
                let entry = record(0, offset, self.claims.begin().unwrap_or(offset), *key, *at);
                let verdict = self.table.record(entry, *time, &mut |event| told.push(tell(offset, event)));
                if let Verdict::Late(_) = verdict {
                    told.push(Told::Refused { at: offset });
                }
            }
            Logged::Control(control) => {
                if let Some(time) = self.claims.read(offset, control).unwrap() {
                    self.table.advance(Some(offset), time, &mut |event| told.push(tell(offset, event)));
                }
            }
            Logged::Drain => self.table.drain(Some(offset), &mut |event| told.push(tell(offset, event))),
        }
    }

    pub fn open(&self) -> Vec<(char, Span, Vec<i64>)> {
        open(&self.table)
    }
}

pub fn open(table: &Table<char, Members>) -> Vec<(char, Span, Vec<i64>)> {
    let mut open = Vec::new();
    table.visit_open(|key, span, _, held| open.push((*key, span, held.0.clone())));
    open.sort();
    open
}

pub fn tell(at: i64, event: Event<char, Members>) -> Told {
    match event {
        Event::Fired { key, span, reason, held, .. } => {
            Told::Fired { at, key, span, reason, members: held.0 }
        }
        Event::Late(late) => Told::Late { at, span: late.span, reason: late.reason },
    }
}
