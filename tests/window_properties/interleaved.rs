//! Several source partitions, read in whatever order and at whatever speed.

use fusion_runtime::window::core::{Intake, Kind, Place, Sources, Span, Table, Verdict};
use proptest::prelude::*;

use crate::scenario::{Members, Shape, Told, kinds, open, record, rules, run_with, tell};

/// Time and key of the records of each partition.
type Partitions = Vec<Vec<(i64, char)>>;

#[derive(Debug)]
struct Input {
    kind: Kind,
    grace: i64,
    partitions: Partitions,
    /// Which partition is read next, as long as it has records: two ways.
    orders: [Vec<prop::sample::Index>; 2],
    /// The clock between two reads.
    pauses: Vec<i64>,
}

/// Records no more out of order, each within its partition, than grace allows; some are negative, and skipped.
fn inputs(shape: Shape) -> impl Strategy<Value = Input> {
    let record = (0_i64..7, 0_i64..=10, prop::bool::weighted(0.05), prop::sample::select(vec!['a', 'b']));
    let partitions = prop::collection::vec(prop::collection::vec(record, 0..15), 1..=4);
    let order = || prop::collection::vec(any::<prop::sample::Index>(), 60);
    let grace = prop::sample::select(vec![0_i64, 2, 5, 10]);
    let pauses = prop::collection::vec(0_i64..5_000, 60);
    (kinds(shape), grace, partitions, order(), order(), pauses).prop_map(
        |((kind, _), grace, partitions, one, other, pauses)| {
            let times = |records: Vec<(i64, i64, bool, char)>| {
                let mut newest = 0;
                let time = |(later, out_of_order, negative, key): (i64, i64, bool, char)| {
                    newest += later;
                    (if negative { -1 } else { (newest - out_of_order.min(grace)).max(0) }, key)
                };
                records.into_iter().map(time).collect()
            };
            let partitions = partitions.into_iter().map(times).collect();
            Input { kind, grace, partitions, orders: [one, other], pauses }
        },
    )
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// Key, window and records of each, whatever fired it; the drain at the end included.
    results: Vec<(char, Span, Vec<i64>)>,
    /// What was told of each read.
    told: Vec<Told>,
    open: usize,
    late: usize,
    skipped: usize,
}

/// Reads all partitions in an order, with a pause before each read. `logs`: one for each partition, as copartitioned
/// sources have them, or a single one.
fn read(input: &Input, order: &[prop::sample::Index], pauses: &[i64], logs: bool) -> Outcome {
    let count = input.partitions.len();
    let mut sources = Sources::new(Some(1_000), None);
    let mut table =
        Table::<char, Members>::new(rules(input.kind, input.grace, false), if logs { count } else { 1 })
            .unwrap();
    for _ in 0..count {
        sources.assign(None, 0);
    }
    let mut next = vec![0; count];
    let mut outcome = Outcome::default();
    let mut clock = 0;
    for (offset, (order, pause)) in order.iter().zip(pauses).enumerate() {
        clock += pause;
        // Nothing was read up to its end, so however long the pause, nothing is idle.
        let left = (0..count).filter(|p| next[*p] < input.partitions[*p].len()).collect::<Vec<_>>();
        if left.is_empty() {
            break;
        }
        let partition = *order.get(&left);
        let (time, key) = input.partitions[partition][next[partition]];
        let id = (partition * 1_000 + next[partition]) as i64;
        let own = next[partition] as i64;
        next[partition] += 1;
        if let Intake::Skipped(_) = sources.take(partition, time, clock) {
            outcome.skipped += 1;
            continue;
        }
        let at = Place { time, topic: 0, partition: partition as i32, offset: id };
        let (log, offset) = if logs { (partition, own) } else { (0, offset as i64) };
        let entry = record(log, offset, offset, key, at);
        let verdict =
            table.record(entry, sources.now(clock), &mut |event| outcome.told.push(tell(id, event)));
        outcome.late += usize::from(matches!(verdict, Verdict::Late(_)));
    }
    outcome.open = open(&table).len();
    let before = table.next_close();
    table.drain(None, &mut |event| outcome.told.push(tell(i64::MAX, event)));
    assert!(table.open_keys() == 0 && table.open_bytes() == 0 && table.needed(0).is_none(), "{before:?}");
    for told in &outcome.told {
        if let Told::Fired { key, span, members, .. } = told {
            let mut members = members.clone();
            members.sort_unstable();
            outcome.results.push((*key, *span, members));
        }
    }
    outcome.results.sort();
    outcome
}

fn any_order(shape: Shape) {
    run_with(inputs(shape), |input| {
        let one = read(&input, &input.orders[0], &input.pauses, false);
        let other = read(&input, &input.orders[1], &input.pauses, false);
        prop_assert_eq!((one.late, other.late), (0, 0));
        prop_assert_eq!(&one.results, &other.results);
        if matches!(input.kind, Kind::Tumbling { .. } | Kind::Hopping { .. }) {
            let logs = read(&input, &input.orders[1], &input.pauses, true);
            prop_assert_eq!(&one.results, &logs.results);
        }
        let inputs = input.partitions.iter().map(Vec::len).sum::<usize>();
        let gathered = one.results.iter().flat_map(|(.., members)| members);
        let gathered = gathered.collect::<std::collections::BTreeSet<_>>().len();
        prop_assert_eq!(gathered + one.late + one.skipped, inputs);
        Ok(())
    });
}

fn any_speed(shape: Shape) {
    run_with(inputs(shape), |input| {
        let fast = input.pauses.iter().map(|pause| pause / 1_000).collect::<Vec<_>>();
        let one = read(&input, &input.orders[0], &input.pauses, false);
        prop_assert_eq!(one, read(&input, &input.orders[0], &fast, false));
        Ok(())
    });
}

macro_rules! kinds {
    ($($property:ident $tests:ident),*) => {
        $(mod $tests {
            use super::$property;
            use crate::scenario::Shape::*;

            #[test]
            fn tumbling() {
                $property(Tumbling { complete: false });
            }

            #[test]
            fn hopping() {
                $property(Hopping { complete: false });
            }

            #[test]
            fn sliding() {
                $property(Sliding);
            }

            #[test]
            fn session() {
                $property(Session { longest: false });
            }
        })*
    };
}

// `longest` cuts at the record that is one too many, so sessions that have it depend on the order; windows that fire when
// they are complete do too.
kinds!(any_order in_any_order, any_speed at_any_speed);
