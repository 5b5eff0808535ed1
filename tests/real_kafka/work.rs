//! A reactor that writes down what it does, and what can be said about what it wrote.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use fusion::{Config, Start, prelude::*};
use serde::{Deserialize, Serialize};

/// A record's value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub key: String,
    pub millis: u64,
}

/// The beginning or the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who ran it: a member's name.
    pub member: String,
    pub begins: bool,
    pub partition: i32,
    pub offset: i64,
    pub key: String,
}

/// A file that several processes add lines to.
#[derive(Clone)]
pub struct Log {
    path: PathBuf,
    member: String,
    file: Arc<Mutex<File>>,
}

impl Log {
    /// A new and empty one.
    pub fn new(name: &str) -> Log {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-kafka");
        std::fs::create_dir_all(&directory).unwrap();
        Log::open(&directory.join(name), "nobody")
    }

    /// The same for another member.
    pub fn open(path: &Path, member: &str) -> Log {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        Log { path: path.to_owned(), member: member.to_owned(), file: Arc::new(Mutex::new(file)) }
    }

    pub fn of(&self, member: &str) -> Log {
        Log { path: self.path.clone(), member: member.to_owned(), file: self.file.clone() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn add(&self, begins: bool, cx: &Context, key: &str) {
        let word = if begins { "begins" } else { "ends" };
        let line = format!("{} {word} {} {} {key}\n", self.member, cx.partition(), cx.offset());
        self.file.lock().unwrap().write_all(line.as_bytes()).unwrap();
    }

    pub fn read(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(&self.path).unwrap();
        let entry = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            let &[member, word, partition, offset, key] = &words[..] else { panic!("a line `{line}`") };
            Entry {
                member: member.to_owned(),
                begins: word == "begins",
                partition: partition.parse().unwrap(),
                offset: offset.parse().unwrap(),
                key: key.to_owned(),
            }
        };
        // The last line may be on its way.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(entry).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if Arc::strong_count(&self.file) == 1 && self.member == "nobody" && !std::thread::panicking() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What was handled to its end: partition and offset.
pub fn ended(entries: &[Entry]) -> HashSet<(i32, i64)> {
    let ends = entries.iter().filter(|entry| !entry.begins);
    ends.map(|entry| (entry.partition, entry.offset)).collect()
}

/// The lowest record of each partition that was not handled to its end, out of those from `begin` to `end`.
pub fn lowest_unfinished(entries: &[Entry], begin: &[i64], end: &[i64]) -> Vec<i64> {
    let ended = ended(entries);
    let lowest = |partition: usize| {
        let mut offsets = begin[partition]..end[partition];
        offsets.find(|&offset| !ended.contains(&(partition as i32, offset))).unwrap_or(end[partition])
    };
    (0..begin.len()).map(lowest).collect()
}

/// Runs of one key by one member do not overlap, and what it sees for the first time comes in order.
pub fn check_order(entries: &[Entry]) {
    let mut running: HashMap<(&str, &str), i64> = HashMap::new();
    let mut highest: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut seen = HashSet::new();
    for entry in entries {
        let lane = (&*entry.member, &*entry.key);
        if entry.begins {
            // A run that was given up at a revoke has no end.
            running.insert(lane, entry.offset);
            if seen.insert((lane, entry.partition, entry.offset)) {
                let before = highest.insert(lane, entry.offset).unwrap_or(-1);
                assert!(before < entry.offset, "{entry:?} after offset {before}");
            }
        } else {
            assert_eq!(running.remove(&lane), Some(entry.offset), "{entry:?} ends, but another one runs");
        }
    }
}

/// What the tests' reactors do.
async fn work(job: Job, log: State<Log>, cx: Context) {
    log.add(true, &cx, &job.key);
    tokio::time::sleep(Duration::from_millis(job.millis)).await;
    log.add(false, &cx, &job.key);
}

macro_rules! workers {
    ($($name:ident: $topic:literal;)*) => {
        $(pub mod $name {
            use super::*;

            // Not every test needs its topic's name.
            #[allow(dead_code)]
            pub const TOPIC: &str = $topic;

            #[reactor(topic = $topic, concurrency = 16, within = 60s)]
            async fn run(job: Job, log: State<Log>, cx: Context) -> bool {
                work(job, log, cx).await;
                true
            }

            /// A member of the group `name`.
            pub fn app(name: &str, config: Config, log: Log) -> App<(Log, ())> {
                App::new(name, config).state(log).reactors(reactors![run])
            }
        })*

        /// By the name of its module: a child process is told that.
        pub fn app(worker: &str, name: &str, config: Config, log: Log) -> App<(Log, ())> {
            match worker {
                $(stringify!($name) => $name::app(name, config, log),)*
                _ => panic!("no worker `{worker}`"),
            }
        }

        pub fn topic(worker: &str) -> &'static str {
            match worker {
                $(stringify!($name) => $topic,)*
                _ => panic!("no worker `{worker}`"),
            }
        }
    };
}

workers! {
    classic: "real.classic";
    consumer: "real.consumer";
    paused: "real.paused";
    joining: "real.joining";
    terminated: "real.terminated";
    endless: "real.endless";
    killed: "real.killed";
    gap: "real.gap";
    overtaken: "real.overtaken";
    overtaken_consumer: "real.overtaken.consumer";
    began: "real.began";
    chosen: "real.chosen";
    grown: "real.grown";
    restarted: "real.restarted";
    frozen: "real.frozen";
}

/// Members notice each other soon, and begin at the end of what other runs left behind.
pub fn config() -> Config {
    crate::common::cluster()
        .start(Start::Latest)
        .stop_limit(Duration::from_secs(10))
        .consumer_set("heartbeat.interval.ms", "300")
        .consumer_set("session.timeout.ms", "6000")
}
