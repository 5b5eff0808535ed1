//! What the stories share: sources of readings, and the results of a window over them.
//!
//! Times are in milliseconds after the story's beginning, ten days ago at midnight, so that they lie on the boundaries of
//! windows. Topics have one partition unless a story says otherwise: then everything has one order, and what has not come
//! before a later result does not come at all.

use std::{
    collections::HashSet,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fusion::{App, Config, Key, Running, Start, Window};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    common::{Raw, Record, SOON, Tail, cluster, create, eventually, on_real, start, unique},
    look::Look,
};

pub const SECOND: i64 = 1_000;
pub const HOUR: i64 = 3_600 * SECOND;
pub const DAY: i64 = 24 * HOUR;

/// What the sources have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    pub id: Option<String>,
    pub value: u32,
    #[serde(default)]
    pub time: Option<i64>,
}

/// What most reactors of these stories return.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    pub id: String,
    pub values: Vec<u32>,
    pub start: i64,
    pub end: i64,
    pub reason: String,
    pub count: u64,
}

/// What a window gathered.
pub fn seen(id: Key<String>, readings: impl IntoIterator<Item = Reading>, window: Window) -> Seen {
    Seen {
        id: id.0,
        values: readings.into_iter().map(|reading| reading.value).collect(),
        start: window.start_millis(),
        end: window.end_millis(),
        reason: window.reason().to_string(),
        count: window.count(),
    }
}

/// What is expected of a window.
pub fn fired(id: &str, values: &[u32], window: Range<i64>, reason: &str) -> Seen {
    Seen {
        id: id.to_owned(),
        values: values.to_vec(),
        start: window.start,
        end: window.end,
        reason: reason.to_owned(),
        count: values.len() as u64,
    }
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

pub struct Story {
    pub config: Config,
    pub group: String,
    /// The story's beginning.
    pub base: i64,
    pub raw: Raw,
    pub results: Tail,
    sources: &'static [&'static str],
    partitions: i32,
    ends: u32,
}

impl Story {
    /// Sources with one partition, and where the results go.
    pub async fn begin(sources: &'static [&'static str], to: &str) -> Story {
        Story::over(sources, 1, to).await
    }

    /// The same with more partitions.
    pub async fn over(sources: &'static [&'static str], partitions: i32, to: &str) -> Story {
        // On a cluster, topics have what earlier runs wrote.
        let begin = if on_real() { Start::Latest } else { Start::Earliest };
        // Most of the time goes by waiting for transactions.
        let config = cluster().start(begin).commit_interval(Duration::from_millis(10));
        create(&config, sources, partitions).await;
        create(&config, &[to], 1).await;
        Story {
            group: unique(sources[0]),
            base: (now() - 10 * DAY) / DAY * DAY,
            raw: Raw::new(&config),
            results: Tail::at_end(&config, to).await,
            config,
            sources,
            partitions,
            ends: 0,
        }
    }

    /// The story's app, to which reactors are added.
    pub fn app(&self) -> App {
        App::new(&self.group, self.config.clone())
    }

    /// Starts the app, and waits until it is sure where it begins.
    pub async fn start<S>(&self, app: App<S>) -> Running {
        let running = start(app).await;
        let look = self.look();
        let begun = |topic: &&str| look.committed(topic).iter().all(Option::is_some);
        eventually(SOON, || self.sources.iter().all(begun)).await;
        running
    }

    /// The first source.
    pub fn topic(&self) -> &'static str {
        self.sources[0]
    }

    pub fn look(&self) -> Look {
        Look::new(&self.config, &self.group)
    }

    pub fn log(&self, window: &str) -> String {
        format!("{}.{window}.repartition", self.group)
    }

    /// A reading in the first partition.
    pub fn reading(&self, topic: &str, id: &str, value: u32, time: i64) -> Record {
        let value = json!({"id": id, "value": value, "time": self.base + time}).to_string();
        Record::to(topic).partition(0).key(id).value(value).timestamp(self.base + time)
    }

    pub async fn send(&self, topic: &str, id: &str, value: u32, time: i64) -> (i32, i64) {
        self.raw.send(self.reading(topic, id, value, time)).await
    }

    /// Has the time of each partition pass `time`.
    pub async fn pass(&self, time: i64) {
        self.everywhere("clock", time).await;
    }

    async fn everywhere(&self, id: &str, time: i64) {
        for topic in self.sources {
            for partition in 0..self.partitions {
                self.raw.send(self.reading(topic, id, 0, time).partition(partition)).await;
            }
        }
    }

    /// The next result of something else than the clock, as it was written.
    pub async fn record(&mut self) -> Record {
        loop {
            let record = self.results.one().await;
            if !matches!(record.key.as_deref(), Some(b"clock")) {
                return record;
            }
        }
    }

    /// The next result.
    pub async fn result(&mut self) -> Seen {
        let record = self.record().await;
        self.read(&record)
    }

    /// What a result says.
    pub fn read(&self, record: &Record) -> Seen {
        let mut seen: Seen = serde_json::from_value(record.json()).unwrap();
        seen.start -= self.base;
        seen.end -= self.base;
        seen
    }

    /// Lets everything before `time` close, and gives all that has not been taken.
    pub async fn finish(&mut self, time: i64) -> Vec<Seen> {
        let records = self.finish_records(time).await;
        records.iter().map(|record| self.read(record)).collect()
    }

    /// The same, as it was written.
    pub async fn finish_records(&mut self, time: i64) -> Vec<Record> {
        self.ends += 1;
        // Of one topic, or they would be complete before others are closed; and for each partition of a log one at least.
        let count = if self.partitions == 1 { 1 } else { 32 };
        let mut open: HashSet<String> = (0..count).map(|n| format!("end {} {n}", self.ends)).collect();
        for end in &open {
            self.send(self.sources[0], end, 0, time).await;
        }
        self.pass(time + 2 * HOUR).await;
        let mut all = Vec::new();
        while !open.is_empty() {
            let record = self.record().await;
            let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
            open.remove(&key);
            if !key.starts_with("end ") {
                all.push(record);
            }
        }
        all
    }
}

/// A time of day that windows of up to an hour end at.
pub const LATER: i64 = DAY;
