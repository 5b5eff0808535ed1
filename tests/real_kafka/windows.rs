//! Windows whose members are killed at any moment: one result per key and window, and each the right one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fusion::{App, Config, GroupProtocol, Running, Start, TopicPolicy, Window, prelude::*};
use fusion_runtime::broker::{TopicSpec, topics};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    child::Child,
    common::{Delivered, Raw, Record, SOON, create, eventually, start, unique},
    look::Look,
    served,
    window_check::Group,
    window_drains, window_kinds, window_pairs, window_troubles,
};

pub const PARTITIONS: i32 = 3;
/// The members' windows, in milliseconds of event time.
pub const SIZE: i64 = 2_000;
/// Records are at most this much out of order, which is less than the windows' grace.
const JITTER: u64 = 400;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    pub id: String,
    pub number: u64,
    pub time: i64,
}

/// A window's result, as the reactors below write it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gathered {
    pub id: String,
    pub start: i64,
    pub numbers: Vec<u64>,
}

pub fn gathered(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    let mut numbers: Vec<_> = readings.into_iter().map(|reading| reading.number).collect();
    numbers.sort_unstable();
    Gathered { id: id.0, start: window.start_millis(), numbers }
}

#[reactor(
    window! < readings: "soak.brake" | "soak.lidar" | "soak.camera" | "soak.radar" by id at time >,
    tumbling = 2s, grace = 500ms, idle = 3s,
    to = "soak.results",
)]
fn soak(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

#[reactor(
    window! < readings: "soak.co.brake" | "soak.co.lidar" | "soak.co.camera" | "soak.co.radar" by id at time >,
    tumbling = 2s, grace = 500ms, idle = 3s, copartitioned,
    to = "soak.co.results",
)]
fn copartitioned(id: Key<String>, readings: Vec<Reading>, window: Window) -> Gathered {
    gathered(id, readings, window)
}

/// What a variant of the story reads and writes.
pub struct Variant {
    pub name: &'static str,
    pub sources: [&'static str; 4],
    pub results: &'static str,
}

/// The sources have the window's key, and with it its partitions.
const COPARTITIONED: Variant = Variant {
    name: "copartitioned",
    sources: ["soak.co.brake", "soak.co.lidar", "soak.co.camera", "soak.co.radar"],
    results: "soak.co.results",
};

const REKEYED: Variant = Variant {
    name: "rekeyed",
    sources: ["soak.brake", "soak.lidar", "soak.camera", "soak.radar"],
    results: "soak.results",
};

pub fn config(protocol: &str) -> Config {
    let config = Config::from_env().unwrap().stop_limit(Duration::from_secs(10)).keep_skipped(true);
    if protocol == "consumer" {
        // Here the broker says how often members report.
        return config.group_protocol(GroupProtocol::Consumer);
    }
    config.consumer_set("session.timeout.ms", "1500").consumer_set("heartbeat.interval.ms", "300")
}

fn app(variant: &str, group: &str, config: Config) -> App {
    let app = App::new(group, config);
    match variant {
        "rekeyed" => app.reactors(reactors![soak]),
        "copartitioned" => app.reactors(reactors![copartitioned]),
        "asked" => app.reactors(reactors![window_troubles::asked]),
        "moved" => app.reactors(reactors![window_troubles::moved]),
        "served" => app.reactors(reactors![served::soak, served::busy]),
        "silent" => app.reactors(reactors![window_troubles::silent]),
        "roaming" => app.reactors(reactors![window_troubles::roaming]),
        "sessions" => app.reactors(reactors![window_kinds::sessions]),
        "updates" => app.reactors(reactors![window_kinds::updates]),
        "slides" => app.reactors(reactors![window_kinds::slides]),
        "moves" => app.reactors(reactors![window_kinds::moves]),
        "drains" => app.reactors(reactors![window_drains::drains]),
        "brief" => app.reactors(reactors![window_kinds::brief]),
        "pairs" => app.reactors(reactors![window_pairs::pairs]),
        _ => panic!("no variant `{variant}`"),
    }
}

/// What a child process does.
pub async fn serve(variant: &str, group: &str, protocol: &str) -> fusion::Result<()> {
    let app = app(variant, group, config(protocol).start(Start::Earliest));
    if variant == "drains" { window_drains::serve(app).await } else { app.run().await }
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Numbers without a pattern, the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What was sent, by key and start of its window.
pub type Expected = BTreeMap<(String, i64), Vec<u64>>;

/// What sends to all partitions of all sources of a variant.
struct Load {
    variant: &'static Variant,
    run: String,
    raw: Raw,
    dice: Dice,
    number: u64,
    expected: Expected,
    reports: Vec<oneshot::Receiver<Delivered>>,
}

impl Load {
    fn new(config: &Config, variant: &'static Variant, run: &str) -> Load {
        Load {
            variant,
            run: run.to_owned(),
            raw: Raw::new(config),
            dice: Dice(now() as u64),
            number: 0,
            expected: Expected::new(),
            reports: Vec::new(),
        }
    }

    /// One reading to each partition, as it is sent at this time.
    fn send(&mut self, now: i64) {
        for topic in self.variant.sources {
            for partition in 0..PARTITIONS {
                let (time, number) = (now - self.dice.roll(JITTER) as i64, self.number);
                let id = format!("{}-{}", self.run, self.dice.roll(40));
                let reading = Reading { id: id.clone(), number, time };
                let record = Record::to(topic).value(serde_json::to_vec(&reading).unwrap()).timestamp(time);
                let record = match self.variant.name {
                    "copartitioned" | "roaming" => record.key(&*id),
                    _ => record.partition(partition),
                };
                self.reports.push(self.raw.queue(&record));
                self.expected.entry((id, time - time.rem_euclid(SIZE))).or_default().push(number);
                self.number += 1;
            }
        }
    }

    async fn sent(self) -> Expected {
        for report in self.reports {
            report.await.unwrap().unwrap();
        }
        self.expected
    }
}

/// Sends until it is told to stop.
pub async fn load(config: Config, variant: &'static Variant, run: String, stop: Arc<AtomicBool>) -> Expected {
    let mut load = Load::new(&config, variant, &run);
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        load.send(now());
    }
    load.sent().await
}

/// Sends what so many seconds would have brought, all at once.
pub async fn backlog(config: &Config, variant: &'static Variant, run: &str, seconds: i64) -> Expected {
    let mut load = Load::new(config, variant, run);
    let now = now();
    for time in (now - seconds * 1_000..now).step_by(20) {
        load.send(time);
    }
    load.sent().await
}

/// How many members of a story are killed.
pub fn kills() -> usize {
    std::env::var("FUSION_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

/// Members of one group, of which each is killed and started again.
pub struct Members {
    variant: &'static str,
    group: String,
    protocol: &'static str,
    pub members: Vec<Child>,
}

impl Members {
    /// Of the app that runs this variant.
    pub fn start(variant: &'static str, group: &str, count: usize, protocol: &'static str) -> Members {
        let mut members = Members { variant, group: group.to_owned(), protocol, members: Vec::new() };
        members.members = (0..count).map(|_| members.another()).collect();
        members
    }

    pub fn another(&self) -> Child {
        Child::start(&["windows", self.variant, &self.group, self.protocol])
    }

    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
        self.restart(member);
    }

    /// In place of one that was killed.
    pub fn restart(&mut self, member: usize) {
        self.members[member] = self.another();
    }

    /// Kills one after the other, each at a moment that nobody knows.
    pub async fn kill_some(&mut self) {
        let mut dice = Dice(now() as u64);
        for kill in 0..kills() {
            tokio::time::sleep(Duration::from_millis(1_000 + dice.roll(4_000))).await;
            self.kill(kill % 2);
        }
    }

    pub async fn end(mut self) {
        for member in &mut self.members {
            member.terminate();
            assert!(member.ended(Duration::from_secs(20)).await.0.success());
        }
    }
}

/// A group that begins at the ends of its sources, so that members which are killed at once begin there, too.
pub async fn begin(variant: &'static Variant, group: &str) -> Look {
    begin_at(variant.name, &variant.sources, variant.results, group).await
}

pub async fn begin_at(variant: &str, sources: &[&str], results: &str, group: &str) -> Look {
    let config = config("classic");
    create(&config, sources, PARTITIONS).await;
    create(&config, &[results], PARTITIONS).await;
    let look = Look::new(&config, group);
    let first: Running = start(app(variant, group, config.start(Start::Latest))).await;
    let committed = |topic: &&str| look.committed(topic).iter().all(Option::is_some);
    eventually(SOON, || sources.iter().all(committed)).await;
    first.shutdown().await.unwrap();
    look
}

#[reactor(
    window! < readings: "trim.brake" by id at time >,
    tumbling = 2s, grace = 0s, idle = 1s,
)]
fn trimmed(readings: Vec<Reading>) {
    drop(readings);
}

/// The log of a window does not keep for ever what no window needs, and keeps what one does.
pub async fn a_log_loses_what_no_window_needs() {
    let (group, config) = (unique("trim"), config("classic"));
    create(&config, &["trim.brake"], 1).await;
    let look = Look::new(&config, &group);
    let app =
        start(App::new(&*group, config.clone().start(Start::Latest)).reactors(reactors![trimmed])).await;
    let raw = Raw::new(&config);
    let log = format!("{group}.trimmed.repartition");
    let time = now();
    let mut reports = Vec::new();
    for number in 0..8_000 {
        // All but the last are of windows that close by it.
        let time = if number < 7_999 { time - 60_000 } else { time + 100_000 };
        let reading = Reading { id: format!("{}", number % 50), number, time };
        let record = Record::to("trim.brake").value(serde_json::to_vec(&reading).unwrap()).timestamp(time);
        reports.push(raw.queue(&record.partition(0)));
    }
    for report in reports {
        report.await.unwrap().unwrap();
    }
    eventually(SOON, || look.start(&log, 0) >= 5_000).await;
    let committed = || look.committed(&log)[0].unwrap();
    assert!(look.start(&log, 0) <= committed(), "what may be needed is there");
    app.shutdown().await.unwrap();
    assert!(look.start(&log, 0) <= committed());
}

#[reactor(
    window! < readings: "keeps.short" by id at time >,
    tumbling = 1h, grace = 1s, copartitioned,
)]
fn short(readings: Vec<Reading>) {
    drop(readings);
}

#[reactor(
    window! < readings: "keeps.compacted" by id at time >,
    tumbling = 1h, grace = 1s, copartitioned,
)]
fn compacted(readings: Vec<Reading>) {
    drop(readings);
}

/// Copartitioned sources keep records for as long as an open window may need them, or the app does not start.
pub async fn copartitioned_sources_keep_what_windows_need() {
    let config = config("classic").start(Start::Latest);
    let specs = vec![
        TopicSpec {
            partitions: Some(1),
            config: vec![("retention.ms".into(), "7200000".into())],
            ..TopicSpec::named("keeps.short")
        },
        TopicSpec {
            partitions: Some(1),
            config: vec![("cleanup.policy".into(), "compact".into())],
            ..TopicSpec::named("keeps.compacted")
        },
    ];
    let asking = config.clone();
    let made =
        tokio::task::spawn_blocking(move || topics::ensure(&asking, &specs, TopicPolicy::default())).await;
    made.unwrap().unwrap();
    let refused = |error: fusion::Error, parts: &[&str]| {
        let fusion::Error::WindowStart { reason, .. } = &error else { panic!("{error}") };
        assert!(parts.iter().all(|part| reason.contains(part)), "{reason}");
    };
    let app = || App::new(unique("keeps"), config.clone()).reactors(reactors![short]);
    let error = app().start().await.unwrap_err();
    // An hour, a second and a day.
    refused(error, &["`keeps.short`", "`retention.ms` = 7200000", "90001000 or more"]);
    let error = App::new(unique("keeps"), config.clone()).reactors(reactors![compacted]).start().await;
    refused(error.unwrap_err(), &["`keeps.compacted`", "`min.compaction.lag.ms` = 0"]);
    // An hour of downtime is kept for.
    let config = config.clone().downtime(Duration::from_secs(3_500));
    let app = start(App::new(unique("keeps"), config).reactors(reactors![short])).await;
    app.shutdown().await.unwrap();
}

pub async fn killed_at_any_moment(variant: &'static Variant) {
    let mut group = Group::begin(variant).await;
    let stop = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn(load(config("classic"), variant, group.run.clone(), stop.clone()));
    let mut members = group.members("classic");
    members.kill_some().await;
    stop.store(true, Ordering::Relaxed);
    let expected = sending.await.unwrap();
    group.check(members, &expected).await;
}

pub async fn one_result_per_window_however_members_die() {
    killed_at_any_moment(&REKEYED).await;
}

pub async fn one_result_per_copartitioned_window_however_members_die() {
    killed_at_any_moment(&COPARTITIONED).await;
}
