//! Copartitioned windows that fire as soon as both topics have spoken, whose members are killed at any moment.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fusion::{Window, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    common::{Raw, Record, SOON, Tail, eventually, unique, within},
    window_check::rest,
    windows::{Dice, Members, Reading, SIZE, begin_at, config, now},
};

#[derive(Debug, Serialize, Deserialize)]
pub struct Pair {
    id: String,
    start: i64,
    reason: String,
    brakes: Vec<u64>,
    lidars: Vec<u64>,
}

#[reactor(
    window! < brakes: "soak.pairs.brake" by id at time; lidars: "soak.pairs.lidar" by id at time >,
    tumbling = 2s, grace = 500ms, complete = all, idle = 3s, copartitioned,
    late = "soak.pairs.late", to = "soak.pairs.results",
)]
pub fn pairs(id: Key<String>, brakes: Vec<Reading>, lidars: Vec<Reading>, window: Window) -> Pair {
    let numbers = |readings: Vec<Reading>| readings.into_iter().map(|reading| reading.number).collect();
    Pair {
        id: id.0,
        start: window.start_millis(),
        reason: window.reason().as_str().to_owned(),
        brakes: numbers(brakes),
        lidars: numbers(lidars),
    }
}

const SOURCES: [&str; 2] = ["soak.pairs.brake", "soak.pairs.lidar"];
const RESULTS: &str = "soak.pairs.results";
const LATE: &str = "soak.pairs.late";

/// What was sent, by key and start of its window: the numbers of both topics, in order.
type Sent = BTreeMap<(String, i64), [Vec<u64>; 2]>;

/// Sends until it is told to stop, about as many readings to each window as it takes to be complete.
async fn load(run: String, stop: Arc<AtomicBool>) -> Sent {
    let raw = Raw::new(&config("classic"));
    let mut dice = Dice(now() as u64);
    let mut sent = Sent::new();
    let mut reports = Vec::new();
    let mut number = 0;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        for _ in 0..3 {
            let (topic, time) = (dice.roll(2) as usize, now() - dice.roll(400) as i64);
            let id = format!("{run}-{}", dice.roll(100));
            let value = serde_json::to_vec(&Reading { id: id.clone(), number, time }).unwrap();
            reports.push(raw.queue(&Record::to(SOURCES[topic]).key(&*id).value(value).timestamp(time)));
            sent.entry((id, time - time.rem_euclid(SIZE))).or_default()[topic].push(number);
            number += 1;
        }
    }
    for report in reports {
        report.await.unwrap().unwrap();
    }
    sent
}

pub async fn a_window_is_complete_once_however_members_die() {
    let (group, run) = (unique("pairs"), unique("run"));
    let look = begin_at("pairs", &SOURCES, RESULTS, &group).await;
    let config = config("classic");
    let (mut results, mut late) = (Tail::at_end(&config, RESULTS).await, Tail::at_end(&config, LATE).await);
    let stop = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn(load(run.clone(), stop.clone()));
    let mut members = Members::start("pairs", &group, 2, "classic");
    members.kill_some().await;
    stop.store(true, Ordering::Relaxed);
    let sent = within(SOON, sending).await.unwrap();
    // Nothing is open any more: what is open holds the committed offsets.
    eventually(Duration::from_secs(60), || SOURCES.iter().all(|source| look.is_done(source))).await;
    members.end().await;

    let mut pairs: HashMap<(String, i64), Vec<Pair>> = HashMap::new();
    for record in rest(&config, &mut results, RESULTS).await {
        let pair: Pair = serde_json::from_value(record.json()).unwrap();
        if pair.id.starts_with(&run) {
            pairs.entry((pair.id.clone(), pair.start)).or_default().push(pair);
        }
    }
    let mut refused: HashMap<(String, i64), Vec<(u64, String)>> = HashMap::new();
    for record in rest(&config, &mut late, LATE).await {
        let Reading { id, number, time } = serde_json::from_value(record.json()).unwrap();
        if id.starts_with(&run) {
            let reason = record.text("fusion-late-reason").to_owned();
            refused.entry((id, time - time.rem_euclid(SIZE))).or_default().push((number, reason));
        }
    }
    let (mut wrong, mut complete) = (Vec::new(), 0);
    for (window, numbers) in &sent {
        let results = pairs.remove(window).unwrap_or_default();
        let refused = refused.remove(window).unwrap_or_default();
        complete += usize::from(results.iter().any(|pair| pair.reason == "complete"));
        if !is_right(numbers, &results, &refused) {
            wrong.push(format!("{window:?} of {numbers:?}: {results:?}, late {refused:?}"));
        }
    }
    wrong.extend(pairs.keys().chain(refused.keys()).map(|window| format!("{window:?}: nothing was sent")));
    assert!(wrong.is_empty(), "{} of {} windows:\n{}", wrong.len(), sent.len(), wrong.join("\n"));
    assert!(complete > 40 && sent.len() - complete > 40, "{complete} of {} are complete", sent.len());
}

/// Of each topic those that came before the window was complete are in its one result, and all others are late.
fn is_right(sent: &[Vec<u64>; 2], results: &[Pair], refused: &[(u64, String)]) -> bool {
    let [Pair { reason, brakes, lidars, .. }] = results else { return false };
    let mut members = [brakes.clone(), lidars.clone()];
    members.iter_mut().for_each(|numbers| numbers.sort_unstable());
    let mut left: Vec<u64> = Vec::new();
    for (sent, members) in sent.iter().zip(&members) {
        if !sent.starts_with(members) {
            return false;
        }
        left.extend(&sent[members.len()..]);
    }
    left.sort_unstable();
    let mut late: Vec<u64> = refused.iter().map(|(number, _)| *number).collect();
    late.sort_unstable();
    if left != late || refused.iter().any(|(_, reason)| reason != "already_fired") {
        return false;
    }
    if sent.iter().any(Vec::is_empty) {
        return left.is_empty() && (reason == "closed" || reason == "idle");
    }
    // The last to come was the first of its topic.
    reason == "complete"
        && members.iter().all(|numbers| !numbers.is_empty())
        && members.iter().any(|numbers| numbers.len() == 1)
}
