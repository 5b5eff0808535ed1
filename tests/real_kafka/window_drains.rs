//! Members that drain again and again, and die between the record in the log that says so and the commit of what it fired.

use std::{collections::BTreeSet, time::Duration};

use fusion::{App, Window, prelude::*};
use fusion_runtime::window::core::{Kind, Rules};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    common::{Record, Tail},
    look::Look,
    window_kinds::fired,
    window_replay::{Fired, ways},
    window_soak::Story,
    windows::{Dice, Members, Reading, Variant, config, kills, now},
};

/// How long a drain is not committed, in milliseconds: long enough to be killed meanwhile.
const UNCOMMITTED: u64 = 1_000;

#[reactor(
    window! < readings: "soak.drains.brake" | "soak.drains.lidar" | "soak.drains.camera" | "soak.drains.radar"
              by id at time >,
    session = 1s, longest = 4s, grace = 500ms, idle = 3s,
    late = "soak.drains.late", to = "soak.drains.results",
)]
pub async fn drains(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    if window.reason().as_str() == "drained" {
        tokio::time::sleep(Duration::from_millis(UNCOMMITTED)).await;
    }
    fired(id, readings, window)
}

const DRAINS: Variant = Variant {
    name: "drains",
    sources: ["soak.drains.brake", "soak.drains.lidar", "soak.drains.camera", "soak.drains.radar"],
    results: "soak.drains.results",
};

/// In a child process.
pub async fn serve(app: App) -> fusion::Result<()> {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let running = app.start().await?;
    let mut dice = Dice(now() as u64);
    let drain_again_and_again = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500 + dice.roll(1_500))).await;
            running.drain().await?;
        }
    };
    tokio::select! {
        ended = drain_again_and_again => return ended,
        _ = terminated.recv() => {}
    }
    running.shutdown().await
}

/// A moment at which all members were killed.
struct Killed {
    /// The partition and the offset of a record that had everything fire.
    drain: (i32, i64),
    /// Behind all that had been written to each partition of the results.
    results: Vec<i64>,
}

async fn drained(log: &mut Tail) -> (i32, i64) {
    let drains = |record: &Record| record.has("fusion-control") && record.json()["drain"] == true;
    loop {
        let record = log.one().await;
        if drains(&record) {
            return (record.partition.unwrap(), record.offset);
        }
    }
}

pub async fn a_drain_is_over_once_however_members_die() {
    let rules = Rules::new(Kind::Session { gap: 1_000, longest: 4_000 }, 500, ways());
    let mut story = Story::begin(&DRAINS, rules, 3_000).await;
    let (look, mut log) =
        (Look::new(&config("classic"), "nobody"), Tail::at_end(&config("classic"), &story.topic).await);
    let mut killed = Vec::new();
    story
        .load(async |members: &mut Members| {
            let mut dice = Dice(now() as u64);
            for kill in 0..kills() {
                // What was written before is over, or about to be.
                log.rest();
                let drain = drained(&mut log).await;
                // Most of them at once; some while it is committed, or after that.
                if kill % 3 == 2 {
                    tokio::time::sleep(Duration::from_millis(dice.roll(2 * UNCOMMITTED))).await;
                }
                members.members.iter_mut().for_each(crate::child::Child::kill);
                killed.push(Killed { drain, results: look.ends(DRAINS.results) });
                (0..members.members.len()).for_each(|member| members.restart(member));
            }
        })
        .await;
    let outcome = story.end().await;
    outcome.check_sum();
    assert!(outcome.has("drained"));
    let interrupted = killed.iter().filter(|killed| {
        let fired = &outcome.log.fired[outcome.log.drains[&killed.drain].clone()];
        let fired: BTreeSet<&Fired> = fired.iter().collect();
        let mut results = outcome.results.iter().filter(|result| fired.contains(&result.fired));
        results.any(|result| result.at.1 >= killed.results[result.at.0 as usize])
    });
    let interrupted = interrupted.count();
    assert!(interrupted > 0, "nobody was killed between a drain and its commit: {}", killed.len());
}
