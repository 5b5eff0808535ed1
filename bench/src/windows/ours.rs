//! fusion's side.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fusion::{Gather, Running, Window, prelude::*};

use super::load::{Gathered, Load, Sums, Trigger};
use super::results::Results;
use crate::Result;
use crate::load::{PATIENCE, delete_beginning};
use crate::report::{Clock, Measure};

/// How far a run has come. There is one at a time.
static STARTED: AtomicBool = AtomicBool::new(false);
static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);
pub(super) static COUNTING: AtomicBool = AtomicBool::new(false);
pub(super) static ADDED: AtomicU64 = AtomicU64::new(0);

/// Every record comes by here first.
fn time(trigger: &Trigger) -> i64 {
    if !STARTED.load(Ordering::Relaxed) && !STARTED.swap(true, Ordering::Relaxed) {
        *CLOCK.lock().expect("no panic here") = Some(Clock::start());
    }
    trigger.taken_at
}

impl Gather for Sums {
    type Item = Trigger;
    fn add(&mut self, trigger: Trigger, _: &Context) {
        self.count += 1;
        self.sum += trigger.value;
        // No other side pays for a count that all threads write.
        if COUNTING.load(Ordering::Relaxed) {
            ADDED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn gathered(id: Key<String>, sums: &Sums, window: Window) -> Gathered {
    Gathered { id: id.0, start: window.start_millis(), count: sums.count, sum: sums.sum }
}

#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, to = "bench.gathered"
)]
fn rekeyed(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, copartitioned, to = "bench.gathered"
)]
fn copartitioned(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

/// As above, but nothing closes by itself.
#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, idle = never, to = "bench.gathered"
)]
fn kept_rekeyed(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, idle = never, copartitioned, to = "bench.gathered"
)]
fn kept_copartitioned(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

/// As above, but they close by themselves soon: `IDLE`.
#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, idle = 1s, to = "bench.gathered"
)]
fn quiet_rekeyed(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

#[reactor(
    window! < triggers: "bench.brake" | "bench.lidar" by id at |trigger: &Trigger| time(trigger) >,
    tumbling = 10s, grace = 2s, idle = 1s, copartitioned, to = "bench.gathered"
)]
fn quiet_copartitioned(id: Key<String>, triggers: Sums, window: Window) -> Gathered {
    gathered(id, &triggers, window)
}

/// How records of one key meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Copartitioned,
    Rekeyed,
}

/// When a window closes without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    Default,
    Never,
    /// After a second.
    Soon,
}

pub(super) async fn start(brokers: &str, group: &str, way: Way, idle: Idle) -> Result<Running> {
    // As much fetched ahead as on the other sides.
    let config = Config::new(brokers)
        .set("broker.address.family", "v4")
        .consumer_set("queued.min.messages", "1000000")
        // A killed one is missed soon.
        .consumer_set("session.timeout.ms", "2000")
        .consumer_set("heartbeat.interval.ms", "400");
    let app = App::new(group, config);
    let app = match (way, idle) {
        (Way::Copartitioned, Idle::Default) => app.reactors(reactors![copartitioned]),
        (Way::Copartitioned, Idle::Never) => app.reactors(reactors![kept_copartitioned]),
        (Way::Copartitioned, Idle::Soon) => app.reactors(reactors![quiet_copartitioned]),
        (Way::Rekeyed, Idle::Default) => app.reactors(reactors![rekeyed]),
        (Way::Rekeyed, Idle::Never) => app.reactors(reactors![kept_rekeyed]),
        (Way::Rekeyed, Idle::Soon) => app.reactors(reactors![quiet_rekeyed]),
    };
    Ok(app.start().await?)
}

/// Gathers the whole load, until the last result can be read.
pub(crate) fn windows(load: &Load, way: Way) -> Result<Measure> {
    let from = load.result_ends()?;
    let mut results = Results::wait_for(load, load.results())?;
    let group = format!("bench-{}", uuid::Uuid::new_v4());
    STARTED.store(false, Ordering::Relaxed);
    let measure = crate::ours::runtime()?.block_on(async {
        let app = start(&load.brokers, &group, way, Idle::Default).await?;
        let patience = PATIENCE + Duration::from_micros(100) * load.messages as u32;
        tokio::select! {
            () = results.all() => {}
            error = app.failed() => return Err(error.to_string().into()),
            () = tokio::time::sleep(patience) => return Err(format!("not done after {patience:?}").into()),
        }
        let clock = CLOCK.lock().expect("no panic here").take().ok_or("an empty load")?;
        let measure = clock.stop(load.messages);
        app.shutdown().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(measure)
    });
    delete_beginning(&load.brokers, &group)?;
    let measure = measure?;
    load.check(&from)?;
    Ok(measure)
}
