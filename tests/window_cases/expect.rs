//! What became of a case against what it expects.

use std::fmt::Debug;

use fusion_runtime::window::core::Reason;

use crate::{
    case::{Case, Gathered},
    drive::Outcome,
};

pub fn check(case: &Case, outcome: &Outcome) -> Result<(), String> {
    if case.expect_final.len() != case.expect_fire_row.len() {
        return Err("expect_final and expect_fire_row differ in length".to_owned());
    }
    let finals = case.expect_fire_row.iter().copied().zip(case.expect_final.iter().cloned());
    let fired = outcome.fired.iter().map(|(row, _, fired)| (*row, fired.clone()));
    same("fired", finals.collect(), fired.collect())?;
    in_end_order(outcome)?;
    same("late", case.late.clone(), outcome.late.clone())?;
    same("late_windows", case.late_windows.clone(), outcome.late_windows.clone())?;
    same("skipped", case.skipped.clone(), outcome.skipped.clone())?;
    same("open", case.expect_open.clone(), outcome.open.clone())
}

/// As multisets.
fn same<T: PartialEq + Debug>(what: &str, mut expected: Vec<T>, got: Vec<T>) -> Result<(), String> {
    let mut surplus = Vec::new();
    for one in got {
        match expected.iter().position(|other| *other == one) {
            Some(place) => drop(expected.swap_remove(place)),
            None => surplus.push(one),
        }
    }
    if expected.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    Err(format!("{what}: missing {expected:?}, not expected {surplus:?}"))
}

/// What closes by one row fires in the order of ends, of all keys; each key's windows do, whatever fires them.
fn in_end_order(outcome: &Outcome) -> Result<(), String> {
    for (place, (row, reason, Gathered(key, _, end, _))) in outcome.fired.iter().enumerate() {
        let closed = |reason| matches!(reason, Reason::Closed | Reason::Idle);
        let before = outcome.fired[..place].iter().filter(|(other, ..)| other == row);
        for (_, other_reason, Gathered(other, _, other_end, _)) in before {
            if other_end > end && (other == key || (closed(*reason) && closed(*other_reason))) {
                return Err(format!("row {row} fired the window of {key} to {end} after one to {other_end}"));
            }
        }
    }
    Ok(())
}
