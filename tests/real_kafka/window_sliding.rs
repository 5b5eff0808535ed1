//! What sliding windows are, as plainly as it can be said: worked out from what was sent, without the log and without what
//! the library decides by.

use std::collections::{BTreeMap, BTreeSet};

use crate::{window_replay::Fired, window_soak::Outcome};

/// A reading that a window took, or may have taken.
struct Taken {
    number: u64,
    time: i64,
    /// Nobody could refuse it.
    in_time: bool,
}

/// Each window has what was sent in it, there is one for each reading and one behind each that another follows, and each
/// reading is in one or late. Of what was sent late a window may have some.
pub fn check(outcome: &Outcome, size: i64) {
    let refused: BTreeSet<u64> = outcome.late.iter().map(|(number, _)| *number).collect();
    let mut readings: BTreeMap<&str, Vec<Taken>> = BTreeMap::new();
    for (&number, sent) in outcome.sent.readings.iter().filter(|(number, _)| !refused.contains(number)) {
        let taken = Taken { number, time: sent.time, in_time: !sent.late };
        readings.entry(&sent.id).or_default().push(taken);
    }
    // Of one that was sent again and again, the last has all.
    let mut windows: BTreeMap<&str, BTreeMap<i64, &Fired>> = BTreeMap::new();
    for fired in outcome.results.iter().map(|result| &result.fired) {
        let before = windows.entry(&fired.id).or_default().insert(fired.start, fired);
        assert!(before.is_none_or(|before| before.reason == "update"), "twice: {before:?}, {fired:?}");
    }
    assert!(windows.keys().all(|id| readings.contains_key(id)), "windows of nothing");
    let (mut wrong, none) = (Vec::new(), BTreeMap::new());
    for (id, readings) in &readings {
        let windows = windows.get(id).unwrap_or(&none);
        for start in expected(readings, size) {
            if !windows.contains_key(&start) {
                wrong.push(format!("{id}: no window begins at {start}"));
            }
        }
        wrong.extend(windows.values().filter_map(|window| differs(window, readings, size)));
        let gathered: BTreeSet<u64> = windows.values().flat_map(|window| &window.numbers).copied().collect();
        let lost = readings.iter().filter(|one| !gathered.contains(&one.number));
        wrong.extend(lost.map(|one| format!("{id}: {} is in no window, and not late", one.number)));
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where windows must begin.
fn expected(readings: &[Taken], size: i64) -> BTreeSet<i64> {
    let times: BTreeSet<i64> = readings.iter().filter(|one| one.in_time).map(|one| one.time).collect();
    let behind = times.iter().map(|time| time + 1);
    let followed = behind.filter(|start| times.range(start..=&(start + size)).next().is_some());
    times.iter().map(|time| time - size).chain(followed).collect()
}

/// What is wrong with a window of an id with these readings.
fn differs(window: &Fired, readings: &[Taken], size: i64) -> Option<String> {
    let Fired { start, end, numbers, .. } = window;
    let within = || readings.iter().filter(|one| (*start..=*end).contains(&one.time));
    let may: BTreeSet<u64> = within().map(|one| one.number).collect();
    let must: BTreeSet<u64> = within().filter(|one| one.in_time).map(|one| one.number).collect();
    let has: BTreeSet<u64> = numbers.iter().copied().collect();
    let belongs = readings.iter().any(|one| one.time == *end || one.time + 1 == *start);
    let right = *end == start + size
        && belongs
        && has.len() == numbers.len()
        && !has.is_empty()
        && has.is_superset(&must)
        && has.is_subset(&may);
    (!right)
        .then(|| format!("{window:?}\n  has not {:?}\n  and should not have {:?}", &must - &has, &has - &may))
}
