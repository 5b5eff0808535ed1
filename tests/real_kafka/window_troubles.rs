//! Windows whose members come, go, stand still and lag, and whose brokers are away: one result per key and window, and each
//! the right one.

use std::{
    collections::{BTreeSet, HashMap},
    os::unix::process::ExitStatusExt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fusion::{Contract, Window, prelude::*};
use serde_json::Value;
use tokio::{sync::OwnedMutexGuard, task::JoinHandle};

use crate::{
    common::{Raw, Record, Tail, create, start, unique},
    restart::{nodes, told},
    window_check::Group,
    windows::{
        self, Expected, Gathered, PARTITIONS, Reading, SIZE, Variant, config, gathered, killed_at_any_moment,
        now,
    },
};

#[reactor(topic = "soak.sum")]
async fn sum(_count: u64, numbers: Vec<u64>) -> u64 {
    numbers.into_iter().sum()
}

#[reactor(
    window! < readings: "soak.asked.brake" | "soak.asked.lidar" | "soak.asked.camera" | "soak.asked.radar"
              by id at time >,
    deps! < sum: sum(window.count(), readings.iter().map(|reading| reading.number).collect::<Vec<_>>()) >,
    tumbling = 2s, grace = 500ms, idle = 3s,
    to = "soak.asked.results",
)]
pub async fn asked(id: Key<String>, readings: Vec<Reading>, window: Window, sum: u64) -> Gathered {
    assert_eq!(
        sum,
        readings.iter().map(|reading| reading.number).sum::<u64>(),
        "the answer of another window"
    );
    gathered(id, readings, window)
}

#[reactor(
    window! < readings: "soak.moved.brake" | "soak.moved.lidar" | "soak.moved.camera" | "soak.moved.radar"
              by id at time >,
    tumbling = 2s, grace = 500ms, idle = 3s,
    to = "soak.moved.results",
)]
pub fn moved(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

/// What was written before an owner died may have been called late only if time ran on for longer than `idle`.
#[reactor(
    window! < readings: "soak.silent.brake" | "soak.silent.lidar" | "soak.silent.camera" | "soak.silent.radar"
              by id at time >,
    tumbling = 2s, grace = 1500ms, idle = 1s,
    to = "soak.silent.results",
)]
pub fn silent(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

#[reactor(
    window! < readings: "soak.roaming.brake" | "soak.roaming.lidar" | "soak.roaming.camera" | "soak.roaming.radar"
              by id at time >,
    tumbling = 2s, grace = 500ms, idle = 3s, copartitioned,
    to = "soak.roaming.results",
)]
pub fn roaming(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

const ASKED: Variant = Variant {
    name: "asked",
    sources: ["soak.asked.brake", "soak.asked.lidar", "soak.asked.camera", "soak.asked.radar"],
    results: "soak.asked.results",
};

const ROAMING: Variant = Variant {
    name: "roaming",
    sources: ["soak.roaming.brake", "soak.roaming.lidar", "soak.roaming.camera", "soak.roaming.radar"],
    results: "soak.roaming.results",
};

const MOVED: Variant = Variant {
    name: "moved",
    sources: ["soak.moved.brake", "soak.moved.lidar", "soak.moved.camera", "soak.moved.radar"],
    results: "soak.moved.results",
};

const SILENT: Variant = Variant {
    name: "silent",
    sources: ["soak.silent.brake", "soak.silent.lidar", "soak.silent.camera", "soak.silent.radar"],
    results: "soak.silent.results",
};

/// How many seconds something lasts; more when the environment says so.
fn seconds(variable: &str, default: u64) -> Duration {
    let seconds = std::env::var(variable).ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(default))
}

/// A group that is alone with its variant.
struct Run {
    variant: &'static Variant,
    group: Group,
    stop: Arc<AtomicBool>,
    _alone: OwnedMutexGuard<()>,
}

/// Two groups would both write results of what is sent to a variant.
static ALONE: LazyLock<Mutex<HashMap<&str, Turn>>> = LazyLock::new(Mutex::default);
type Turn = Arc<tokio::sync::Mutex<()>>;

impl Run {
    async fn begin(variant: &'static Variant) -> Run {
        let alone =
            ALONE.lock().unwrap_or_else(PoisonError::into_inner).entry(variant.name).or_default().clone();
        let _alone = alone.lock_owned().await;
        Run { variant, group: Group::begin(variant).await, stop: Arc::default(), _alone }
    }

    /// Sends until [`sent`](Self::sent) is asked for.
    fn load(&self) -> JoinHandle<Expected> {
        self.stop.store(false, Ordering::Relaxed);
        let run = self.group.run.clone();
        tokio::spawn(windows::load(config("classic"), self.variant, run, self.stop.clone()))
    }

    async fn sent(&self, load: JoinHandle<Expected>) -> Expected {
        self.stop.store(true, Ordering::Relaxed);
        load.await.unwrap()
    }
}

pub async fn a_graph_behind_a_window_is_asked_however_members_die() {
    let config = config("classic");
    create(&config, &[sum::TOPIC], PARTITIONS).await;
    let service = start(App::new(unique("sums"), config).reactors(reactors![sum])).await;
    killed_at_any_moment(&ASKED).await;
    service.shutdown().await.unwrap();
}

pub async fn members_come_and_go_every_second_classic() {
    come_and_go(&MOVED, "classic").await;
}

pub async fn members_come_and_go_every_second_consumer() {
    come_and_go(&MOVED, "consumer").await;
}

pub async fn members_of_a_copartitioned_window_come_and_go_every_second_classic() {
    come_and_go(&ROAMING, "classic").await;
}

pub async fn members_of_a_copartitioned_window_come_and_go_every_second_consumer() {
    come_and_go(&ROAMING, "consumer").await;
}

/// A third member comes and leaves, so that partitions move twice a second.
pub async fn come_and_go(variant: &'static Variant, protocol: &'static str) {
    let mut run = Run::begin(variant).await;
    let members = run.group.members(protocol);
    let load = run.load();
    let until = Instant::now() + seconds("FUSION_REBALANCE_SECONDS", 8);
    while Instant::now() < until {
        let mut third = members.another();
        // What is tested is the moment, not what it has reached by then.
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        third.terminate();
        let (status, took) = third.ended(Duration::from_secs(20)).await;
        // It may not have come so far as to listen.
        assert!(status.success() || status.signal() == Some(15), "{status} after {took:?}");
    }
    let expected = run.sent(load).await;
    run.group.check(members, &expected).await;
}

pub async fn what_an_idle_member_leaves_unread_is_not_late() {
    let mut run = Run::begin(&SILENT).await;
    let log = run.group.log().unwrap();
    let mut claims = Tail::at_end(&config("classic"), &log).await;
    let mut members = run.group.members("classic");
    let raw = Raw::new(&config("classic"));
    let [brake, others @ ..] = SILENT.sources;
    let mut expected = Expected::new();
    let (mut number, mut reports) = (0, Vec::new());
    let mut send = |topic: &str| {
        for partition in 0..PARTITIONS {
            let (time, id) = (now(), format!("{}-{}", run.group.run, number % 40));
            let value = serde_json::to_vec(&Reading { id: id.clone(), number, time }).unwrap();
            reports.push(raw.queue(&Record::to(topic).value(value).timestamp(time).partition(partition)));
            expected.entry((id, time - time.rem_euclid(SIZE))).or_default().push(number);
            number += 1;
        }
    };
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    send(brake);
    let (mut idle, limit) = (BTreeSet::new(), Instant::now() + Duration::from_secs(30));
    while idle.len() < PARTITIONS as usize {
        assert!(Instant::now() < limit, "only {idle:?} of the silent topic are idle");
        pace.tick().await;
        others.iter().for_each(|topic| send(topic));
        for control in claims.rest().iter().filter(|record| record.has("fusion-control")) {
            for claim in control.json()["claims"].as_array().into_iter().flatten() {
                if claim["topic"] == brake && claim["idle"] == Value::Bool(true) {
                    idle.insert(claim["partition"].as_i64());
                }
            }
        }
    }
    // It has just said so, and nobody says otherwise until its session has ended.
    members.members[0].kill();
    let mut taken_over = Box::pin(run.group.take_over());
    loop {
        tokio::select! {
            () = &mut taken_over => break,
            _ = pace.tick() => SILENT.sources.iter().for_each(|topic| send(topic)),
        }
    }
    drop(taken_over);
    members.members[0] = members.another();
    for report in reports {
        report.await.unwrap().unwrap();
    }
    run.group.check(members, &expected).await;
}

pub async fn a_member_that_lags_closes_nothing_early() {
    let mut run = Run::begin(&MOVED).await;
    // Nobody reads: more than any window and its grace.
    let expected = windows::backlog(&config("classic"), &MOVED, &run.group.run, 7).await;
    let members = run.group.members("classic");
    run.group.check(members, &expected).await;
}

pub async fn a_member_that_stood_still_sends_no_result_again() {
    let mut run = Run::begin(&MOVED).await;
    let members = run.group.members("classic");
    let load = run.load();
    for turn in 0..3 {
        run.group.catch_up().await;
        let frozen = &members.members[turn % 2];
        frozen.freeze();
        run.group.take_over().await;
        frozen.thaw();
    }
    run.group.catch_up().await;
    let expected = run.sent(load).await;
    run.group.check(members, &expected).await;
}

pub async fn brokers_that_are_away_close_nothing_early() {
    let mut run = Run::begin(&MOVED).await;
    let members = run.group.members("classic");
    let mut expected = Expected::new();
    for node in nodes() {
        let load = run.load();
        tokio::time::sleep(Duration::from_secs(4)).await;
        // All of it is written, and some of it not read.
        merge(&mut expected, run.sent(load).await);
        told("kill", &node).await;
        tokio::time::sleep(seconds("FUSION_AWAY_SECONDS", 8)).await;
        told("restart", &node).await;
    }
    let load = run.load();
    tokio::time::sleep(Duration::from_secs(4)).await;
    merge(&mut expected, run.sent(load).await);
    run.group.check(members, &expected).await;
}

/// The numbers of each load begin at 0, and none of their windows is that of another: one ends seconds before the next.
fn merge(all: &mut Expected, more: Expected) {
    for (window, numbers) in more {
        let before = all.insert(window, numbers);
        assert!(before.is_none(), "two loads in one window");
    }
}
