//! Windows of every kind whose members are killed at any moment, and of which much comes late and some cannot be read: each
//! record is in a result, late or a dead letter, and each result is what the window's log says.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fusion::{Config, Window, prelude::*};
use fusion_runtime::window::core::{Kind, Rules};

use crate::{
    common::{Raw, Record, Tail, eventually, unique},
    look::Look,
    window_check::rest,
    window_replay::{Fired, Log, Numbers, ways},
    windows::{Dice, Members, PARTITIONS, Reading, Variant, begin, config, now},
};

fn fired(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    let mut numbers: Vec<u64> = readings.into_iter().map(|reading| reading.number).collect();
    numbers.sort_unstable();
    let reason = window.reason().as_str().to_owned();
    Fired { id: id.0, start: window.start_millis(), end: window.end_millis(), reason, numbers }
}

#[reactor(
    window! < readings: "soak.runs.brake" | "soak.runs.lidar" | "soak.runs.camera" | "soak.runs.radar" by id at time >,
    session = 1s, longest = 4s, grace = 500ms, idle = 3s,
    late = "soak.runs.late", to = "soak.runs.results",
)]
pub fn sessions(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

#[reactor(
    window! < readings: "soak.hops.brake" | "soak.hops.lidar" | "soak.hops.camera" | "soak.hops.radar" by id at time >,
    hopping = 2s, advance = 1s, grace = 500ms, idle = 3s, emit = updates,
    late = "soak.hops.late", to = "soak.hops.results",
)]
pub fn updates(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

/// Less than transactions take on a bad day.
#[reactor(
    window! < readings: "soak.brief.brake" | "soak.brief.lidar" | "soak.brief.camera" | "soak.brief.radar" by id at time >,
    tumbling = 1s, grace = 200ms, idle = 300ms,
    late = "soak.brief.late", to = "soak.brief.results",
)]
pub fn brief(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

const SESSIONS: Variant = Variant {
    name: "sessions",
    sources: ["soak.runs.brake", "soak.runs.lidar", "soak.runs.camera", "soak.runs.radar"],
    results: "soak.runs.results",
};

const UPDATES: Variant = Variant {
    name: "updates",
    sources: ["soak.hops.brake", "soak.hops.lidar", "soak.hops.camera", "soak.hops.radar"],
    results: "soak.hops.results",
};

const BRIEF: Variant = Variant {
    name: "brief",
    sources: ["soak.brief.brake", "soak.brief.lidar", "soak.brief.camera", "soak.brief.radar"],
    results: "soak.brief.results",
};

/// What was sent.
#[derive(Default)]
struct Sent {
    /// By number, and whether it was sent so late that a window may refuse it.
    readings: BTreeMap<u64, bool>,
    /// What is no reading.
    broken: BTreeSet<u64>,
}

/// Sends to all partitions of all sources until it is told to stop, and adds it to what was sent. A few ids are never
/// silent.
async fn load(variant: &'static Variant, run: String, stop: Arc<AtomicBool>, mut sent: Sent) -> Sent {
    let raw = Raw::new(&config("classic"));
    let mut dice = Dice(now() as u64);
    let mut reports = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(40));
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        for topic in variant.sources {
            for partition in 0..PARTITIONS {
                let number = (sent.readings.len() + sent.broken.len()) as u64;
                let (behind, late) = match dice.roll(200) {
                    0..6 => (1_000 + dice.roll(3_000), true),
                    6..10 => (10_000 + dice.roll(50_000), true),
                    _ => (dice.roll(400), false),
                };
                let time = now() - behind as i64;
                let value = if dice.roll(100) == 0 {
                    sent.broken.insert(number);
                    format!("{run} {number}").into_bytes()
                } else {
                    sent.readings.insert(number, late);
                    let id = if dice.roll(3) == 0 { dice.roll(4) } else { 4 + dice.roll(200) };
                    serde_json::to_vec(&Reading { id: format!("{run}-{id}"), number, time }).unwrap()
                };
                let record = Record::to(topic).value(value).timestamp(time).partition(partition);
                reports.push(raw.queue(&record));
            }
        }
    }
    for report in reports {
        report.await.unwrap().unwrap();
    }
    sent
}

/// A group, all that it writes, and what its log says it should.
struct Story {
    variant: &'static Variant,
    run: String,
    config: Config,
    look: Look,
    topic: String,
    log: Log,
    results: Tail,
    late: Tail,
    letters: Vec<Tail>,
    members: Members,
    sent: Sent,
}

impl Story {
    async fn begin(variant: &'static Variant, rules: Rules<Numbers>, idle: i64) -> Story {
        let (group, config) = (unique(variant.name), config("classic"));
        let look = begin(variant, &group).await;
        let topic = format!("{group}.{}.repartition", variant.name);
        let late = variant.results.replace("results", "late");
        let mut letters = Vec::new();
        for source in variant.sources {
            letters.push(Tail::at_end(&config, &format!("{source}.dlq")).await);
        }
        Story {
            run: unique("run"),
            log: Log::open(&topic, variant.sources, PARTITIONS, &rules, idle).await,
            results: Tail::at_end(&config, variant.results).await,
            late: Tail::at_end(&config, &late).await,
            members: Members::start(variant.name, &group, 2, "classic"),
            variant,
            config,
            look,
            topic,
            letters,
            sent: Sent::default(),
        }
    }

    /// Sends while something happens to the members.
    async fn load(&mut self, happens: impl AsyncFnOnce(&mut Members)) {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = std::mem::take(&mut self.sent);
        let sending = tokio::spawn(load(self.variant, self.run.clone(), stop.clone(), sent));
        happens(&mut self.members).await;
        stop.store(true, Ordering::Relaxed);
        self.sent = sending.await.unwrap();
    }

    /// Waits until all is read, and nothing is open any more.
    async fn close(&mut self) {
        let limit = Duration::from_secs(60);
        eventually(limit, || self.variant.sources.iter().all(|source| self.look.is_done(source))).await;
        eventually(limit, || {
            self.log.read();
            self.log.is_over()
        })
        .await;
        // The members say so, too: what is open holds the committed offset.
        let nothing_is_open = || {
            let committed = self.look.committed(&self.topic);
            committed.iter().zip(self.log.behind()).all(|(committed, behind)| committed.unwrap() >= behind)
        };
        eventually(limit, nothing_is_open).await;
    }

    /// What was written, which is what the log says.
    async fn end(mut self) -> Outcome {
        self.close().await;
        self.members.end().await;
        self.log.read();
        let late_topic = self.variant.results.replace("results", "late");
        let mut results = Vec::new();
        for record in rest(&self.config, &mut self.results, self.variant.results).await {
            let result: Fired = serde_json::from_value(record.json()).unwrap();
            if result.id.starts_with(&self.run) {
                results.push((result, record.text("fusion-emit-id").to_owned()));
            }
        }
        let mut late = Vec::new();
        for record in rest(&self.config, &mut self.late, &late_topic).await {
            let reading: Reading = serde_json::from_value(record.json()).unwrap();
            if reading.id.starts_with(&self.run) {
                late.push((reading.number, record.text("fusion-late-reason").to_owned()));
            }
        }
        let mut letters = Vec::new();
        for (source, tail) in self.variant.sources.iter().zip(&mut self.letters) {
            for record in rest(&self.config, tail, &format!("{source}.dlq")).await {
                let text = String::from_utf8(record.value.unwrap()).unwrap();
                letters
                    .extend(text.strip_prefix(&self.run).map(|number| number.trim().parse::<u64>().unwrap()));
            }
        }
        let outcome = Outcome { results, late, letters, sent: self.sent };
        outcome.check(&self.log);
        outcome
    }
}

/// What was written.
struct Outcome {
    /// With their emit ids.
    results: Vec<(Fired, String)>,
    late: Vec<(u64, String)>,
    letters: Vec<u64>,
    sent: Sent,
}

impl Outcome {
    /// All of it is what the log says, and the log has each reading once.
    fn check(&self, log: &Log) {
        let sent = &self.sent;
        let once = |numbers: &mut dyn Iterator<Item = u64>| {
            numbers.map(|number| (number, 1)).collect::<BTreeMap<_, _>>()
        };
        let mut letters = BTreeMap::new();
        self.letters.iter().for_each(|number| *letters.entry(*number).or_default() += 1);
        same("dead letters", &letters, &once(&mut sent.broken.iter().copied()));
        same("records in the log", &log.written, &once(&mut sent.readings.keys().copied()));

        let mut late: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        self.late.iter().for_each(|(number, reason)| late.entry(*number).or_default().push(reason));
        let expected = log.late.iter().map(|(number, reason)| (*number, vec![*reason])).collect();
        same("late records", &late, &expected);

        let by_id = |results: &mut dyn Iterator<Item = &Fired>| {
            let mut all: BTreeMap<String, Vec<Fired>> = BTreeMap::new();
            results.for_each(|one| all.entry(one.id.clone()).or_default().push(one.clone()));
            // Of windows that close at one moment there is no order.
            let finals = |fired: &&mut Vec<Fired>| fired.iter().any(|one| one.reason != "update");
            all.values_mut().filter(finals).for_each(|fired| fired.sort());
            all
        };
        let written = by_id(&mut self.results.iter().map(|(result, _)| result));
        same("results", &written, &by_id(&mut log.fired.iter()));
        let ids: BTreeSet<&String> = self.results.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), self.results.len(), "results that have an emit id in common");
        assert!(self.results.len() > 200, "the load was nothing: {} results", self.results.len());
    }

    /// Windows that fire once, of which a record has one: each is in a result or late.
    fn check_sum(&self) {
        let mut seen: Vec<u64> =
            self.results.iter().flat_map(|(result, _)| &result.numbers).copied().collect();
        seen.extend(self.late.iter().map(|(number, _)| number));
        seen.sort_unstable();
        assert!(seen.iter().eq(self.sent.readings.keys()), "results and late records are not what was sent");
    }

    /// Nothing was late that had not been sent late: time did not run ahead.
    fn check_time(&self) {
        for (number, reason) in &self.late {
            assert!(self.sent.readings[number] || reason != "closed", "{number} came in time");
        }
        assert!(self.late.iter().any(|(_, reason)| reason == "closed"), "nothing was late");
    }

    fn has(&self, reason: &str) -> bool {
        self.results.iter().any(|(result, _)| result.reason == reason)
    }
}

fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    are: &BTreeMap<K, V>,
    should: &BTreeMap<K, V>,
) {
    let keys: BTreeSet<&K> = are.keys().chain(should.keys()).collect();
    let wrong: Vec<String> = keys
        .into_iter()
        .filter(|key| are.get(key) != should.get(key))
        .map(|key| format!("{key:?}: {:?}\n  not {:?}", are.get(key), should.get(key)))
        .collect();
    assert!(wrong.is_empty(), "{what}: {} of {} are wrong:\n{}", wrong.len(), should.len(), wrong.join("\n"));
}

pub async fn each_record_is_in_a_session_or_late_however_members_die() {
    let rules = Rules::new(Kind::Session { gap: 1_000, longest: 4_000 }, 500, ways());
    let mut story = Story::begin(&SESSIONS, rules, 3_000).await;
    story.load(Members::kill_some).await;
    let outcome = story.end().await;
    outcome.check_sum();
    outcome.check_time();
    assert!(outcome.has("closed") && outcome.has("longest"), "not all that can happen did");
}

pub async fn each_update_is_sent_once_and_in_order_however_members_die() {
    let rules = Rules::new(Kind::Hopping { size: 2_000, advance: 1_000 }, 500, ways()).updates();
    let mut story = Story::begin(&UPDATES, rules, 3_000).await;
    story.load(Members::kill_some).await;
    story.end().await.check_time();
}

/// Again and again, because each silence is a chance to close too early, or never.
pub async fn windows_close_with_an_idle_that_is_shorter_than_transactions_take() {
    let rules = Rules::new(Kind::Tumbling { size: 1_000 }, 200, ways());
    let mut story = Story::begin(&BRIEF, rules, 300).await;
    for _ in 0..4 {
        story.load(async |_| tokio::time::sleep(Duration::from_millis(1_500)).await).await;
        story.close().await;
    }
    let outcome = story.end().await;
    outcome.check_sum();
    assert!(outcome.has("idle"));
}
