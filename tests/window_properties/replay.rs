//! Stops and starts of the owner of a log.

use std::collections::BTreeSet;

use fusion_runtime::window::core::{Kind, Reason, Span};
use proptest::prelude::*;

use crate::scenario::{Logged, Scenario, Told};

/// All that is told of a log, and what is open at its end.
type Whole = (Vec<Told>, Vec<(char, Span, Vec<i64>)>);

fn whole(scenario: &Scenario) -> Whole {
    let mut owner = scenario.owner();
    let mut told = Vec::new();
    for (offset, logged) in scenario.log.iter().enumerate() {
        owner.give(logged, offset as i64, &mut told);
    }
    (sorted(told), owner.open())
}

/// In which order keys fire at one offset is free.
fn sorted(mut told: Vec<Told>) -> Vec<Told> {
    told.sort_by(|a, b| (at(a), a).cmp(&(at(b), b)));
    told
}

fn at(told: &Told) -> i64 {
    match told {
        Told::Fired { at, .. } | Told::Late { at, .. } | Told::Refused { at } => *at,
    }
}

/// One restart, at every position.
pub fn restart_everywhere(scenario: &Scenario) -> Result<(), TestCaseError> {
    let (all, open) = whole(scenario);
    let mut owner = scenario.owner();
    for high in 0..=scenario.log.len() {
        let mut again = scenario.restarted(&owner, high)?;
        prop_assert_eq!(again.open(), owner.open(), "open at {}", high);
        let mut told = Vec::new();
        for (offset, logged) in scenario.log.iter().enumerate().skip(high) {
            again.give(logged, offset as i64, &mut told);
        }
        let rest = all.iter().filter(|told| at(told) >= high as i64).cloned().collect::<Vec<_>>();
        prop_assert_eq!(sorted(told), rest, "restarted at {}", high);
        prop_assert_eq!(again.open(), open.clone());
        if let Some(logged) = scenario.log.get(high) {
            owner.give(logged, high as i64, &mut Vec::new());
        }
    }
    Ok(())
}

/// A restart before every record: each starts from what the one before it rebuilt.
pub fn restart_again_and_again(scenario: &Scenario) -> Result<(), TestCaseError> {
    let (all, open) = whole(scenario);
    let mut owner = scenario.owner();
    let mut told = Vec::new();
    for (offset, logged) in scenario.log.iter().enumerate() {
        owner = scenario.restarted(&owner, offset)?;
        owner.give(logged, offset as i64, &mut told);
    }
    prop_assert_eq!(sorted(told), all);
    prop_assert_eq!(owner.open(), open);
    Ok(())
}

/// Batches of a few offsets are committed one by one, with a cut behind each. At every position once, what was not
/// committed is lost, and the owner starts from the last commit.
pub fn abort_everywhere(scenario: &Scenario) -> Result<(), TestCaseError> {
    const BATCH: usize = 4;
    let (all, _) = whole(scenario);
    for abort in 0..scenario.log.len() {
        let mut owner = scenario.owner();
        // What the last commit would be rebuilt as.
        let mut last_commit = (scenario.restarted(&owner, 0)?, 0);
        let (mut committed, mut batch) = (Vec::new(), Vec::new());
        let (mut next, mut aborted) = (0, false);
        while next < scenario.log.len() {
            if next == abort && !aborted {
                aborted = true;
                batch.clear();
                (owner, next) = last_commit;
                last_commit = (scenario.restarted(&owner, next)?, next);
            }
            owner.give(&scenario.log[next], next as i64, &mut batch);
            next += 1;
            if next % BATCH == 0 || next == scenario.log.len() {
                committed.append(&mut batch);
                last_commit = (scenario.restarted(&owner, next)?, next);
            }
        }
        prop_assert_eq!(sorted(committed), all.clone(), "aborted at {}", abort);
    }
    Ok(())
}

/// Each record is in a result, or open, or late; and in as many as it should be.
pub fn nothing_is_lost(scenario: &Scenario) -> Result<(), TestCaseError> {
    let (told, open) = whole(scenario);
    let open = open.into_iter().filter(|_| !scenario.updates);
    let mut gathered = open.flat_map(|(.., members)| members).collect::<Vec<_>>();
    let (mut refused, mut refusals) = (BTreeSet::new(), 0);
    for told in told {
        match told {
            // Told of again with each record that follows, but once as what caused it.
            Told::Fired { at, reason: Reason::Update, members, .. } => {
                gathered.extend(members.into_iter().filter(|member| *member == at));
            }
            Told::Fired { members, .. } => gathered.extend(members),
            Told::Refused { at } => prop_assert!(refused.insert(at), "refused twice"),
            Told::Late { .. } => refusals += 1,
        }
    }
    let (mut inputs, mut places) = (BTreeSet::new(), 0);
    for (offset, logged) in scenario.log.iter().enumerate() {
        if let Logged::Record { at, .. } = logged {
            inputs.insert(offset as i64);
            places += scenario.windows_of(at.time);
        }
    }
    let taken = gathered.iter().copied().collect::<BTreeSet<_>>();
    prop_assert!(taken.is_disjoint(&refused));
    prop_assert_eq!(&taken | &refused, inputs);
    // Each record and window is counted once. How many sliding windows a record has depends on the others.
    if !matches!(scenario.kind, Kind::Sliding { .. }) {
        prop_assert_eq!(gathered.len() + refusals, places);
    }
    Ok(())
}
