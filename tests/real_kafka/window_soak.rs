//! What the stories of windows under load share: much that comes late and some that cannot be read, members to which
//! something happens meanwhile, and the question whether everything was written that the window's log says should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fusion::Config;
use fusion_runtime::window::core::Rules;

use crate::{
    common::{Raw, Record, Tail, eventually, unique},
    look::Look,
    window_check::rest,
    window_replay::{Fired, Log, Numbers},
    windows::{Dice, Members, PARTITIONS, Reading, Variant, begin, config, now},
};

/// What was sent.
#[derive(Default)]
pub struct Sent {
    /// By number.
    pub readings: BTreeMap<u64, SentReading>,
    /// What is no reading.
    broken: BTreeSet<u64>,
}

pub struct SentReading {
    pub id: String,
    pub time: i64,
    /// Whether it was sent so late that a window may refuse it.
    pub late: bool,
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
                    let id = if dice.roll(3) == 0 { dice.roll(4) } else { 4 + dice.roll(200) };
                    let id = format!("{run}-{id}");
                    sent.readings.insert(number, SentReading { id: id.clone(), time, late });
                    serde_json::to_vec(&Reading { id, number, time }).unwrap()
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
pub struct Story {
    variant: &'static Variant,
    run: String,
    config: Config,
    look: Look,
    /// That of the log.
    pub topic: String,
    log: Log,
    results: Tail,
    late: Tail,
    letters: Vec<Tail>,
    members: Members,
    sent: Sent,
}

impl Story {
    pub async fn begin(variant: &'static Variant, rules: Rules<Numbers>, idle: i64) -> Story {
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
    pub async fn load(&mut self, happens: impl AsyncFnOnce(&mut Members)) {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = std::mem::take(&mut self.sent);
        let sending = tokio::spawn(load(self.variant, self.run.clone(), stop.clone(), sent));
        happens(&mut self.members).await;
        stop.store(true, Ordering::Relaxed);
        self.sent = sending.await.unwrap();
    }

    /// Waits until all is read, and nothing is open any more.
    pub async fn close(&mut self) {
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
    pub async fn end(mut self) -> Outcome {
        self.close().await;
        self.members.end().await;
        self.log.read();
        let late_topic = self.variant.results.replace("results", "late");
        let mut results = Vec::new();
        for record in rest(&self.config, &mut self.results, self.variant.results).await {
            let result: Fired = serde_json::from_value(record.json()).unwrap();
            if result.id.starts_with(&self.run) {
                let emit_id = record.text("fusion-emit-id").to_owned();
                let at = (record.partition.unwrap(), record.offset);
                results.push(Written { fired: result, emit_id, at });
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
        let outcome = Outcome { results, late, letters, sent: self.sent, log: self.log };
        outcome.check();
        outcome
    }
}

/// What was written.
pub struct Outcome {
    pub results: Vec<Written>,
    /// With their reasons.
    pub late: Vec<(u64, String)>,
    letters: Vec<u64>,
    pub sent: Sent,
    pub log: Log,
}

/// A result.
pub struct Written {
    pub fired: Fired,
    emit_id: String,
    /// Its partition and offset.
    pub at: (i32, i64),
}

impl Outcome {
    /// All of it is what the log says, and the log has each reading once.
    fn check(&self) {
        let (sent, log) = (&self.sent, &self.log);
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
        let written = by_id(&mut self.results.iter().map(|result| &result.fired));
        same("results", &written, &by_id(&mut log.fired.iter()));
        let ids: BTreeSet<&String> = self.results.iter().map(|result| &result.emit_id).collect();
        assert_eq!(ids.len(), self.results.len(), "results that have an emit id in common");
        assert!(self.results.len() > 200, "the load was nothing: {} results", self.results.len());
    }

    /// Windows that fire once, of which a record has one: each is in a result or late.
    pub fn check_sum(&self) {
        let mut seen: Vec<u64> =
            self.results.iter().flat_map(|result| &result.fired.numbers).copied().collect();
        seen.extend(self.late.iter().map(|(number, _)| number));
        seen.sort_unstable();
        assert!(seen.iter().eq(self.sent.readings.keys()), "results and late records are not what was sent");
    }

    /// Nothing was late that had not been sent late: time did not run ahead.
    pub fn check_time(&self) {
        for (number, reason) in &self.late {
            assert!(self.sent.readings[number].late || reason != "closed", "{number} came in time");
        }
        assert!(self.late.iter().any(|(_, reason)| reason == "closed"), "nothing was late");
    }

    pub fn has(&self, reason: &str) -> bool {
        self.results.iter().any(|result| result.fired.reason == reason)
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
