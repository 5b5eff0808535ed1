//! Kafka Streams' side: one Java process for all rounds.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::load::{GRACE, Load, SIZE};
use super::ours::Way;
use super::results::Results;
use crate::Result;
use crate::load::{PATIENCE, delete_beginning};
use crate::report::Measure;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Exactly once, with windows in memory.
    Once,
    /// What it does when nothing is said: at least once, windows in RocksDB, one thread.
    Defaults,
}

/// The Java process.
pub(crate) struct Streams {
    child: Child,
    orders: RefCell<ChildStdin>,
    answers: RefCell<Lines<BufReader<ChildStdout>>>,
}

impl Streams {
    /// Fetches and compiles what is missing, and starts it.
    pub(crate) fn start(brokers: &str, threads: u32) -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams");
        if !Command::new(here.join("build")).status()?.success() {
            return Err("Kafka Streams could not be built; streams=0 goes without".into());
        }
        let home: PathBuf = here.join("../../target/streams");
        let mut child = Command::new("java")
            .arg("-cp")
            .arg(format!("{0}/classes:{0}/libs/*", home.display()))
            .args(["Windows", brokers])
            .arg(home.join("state"))
            .args([SIZE, GRACE, threads.into()].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(home.join("log"))?)
            .spawn()?;
        let orders = RefCell::new(child.stdin.take().ok_or("no input")?);
        let answers = RefCell::new(BufReader::new(child.stdout.take().ok_or("no output")?).lines());
        Ok(Streams { child, orders, answers })
    }

    pub(super) fn order(&self, line: &str) -> Result<()> {
        let mut orders = self.orders.borrow_mut();
        writeln!(orders, "{line}")?;
        Ok(orders.flush()?)
    }

    /// The number behind the word that is expected.
    pub(super) fn answer(&self, word: &str) -> Result<u64> {
        let line =
            self.answers.borrow_mut().next().ok_or("Kafka Streams has ended; see target/streams/log")??;
        match line.split_once(' ').unwrap_or((&line, "0")) {
            (first, number) if first == word => Ok(number.parse()?),
            _ => Err(format!("Kafka Streams said `{line}`, not `{word}`").into()),
        }
    }

    pub(super) fn begin(&self, way: Way, promise: Promise) -> Result<String> {
        let id = format!("bench-streams-{}", uuid::Uuid::new_v4());
        let promise = if promise == Promise::Once { "once" } else { "defaults" };
        let way = if way == Way::Rekeyed { "rekeyed" } else { "copartitioned" };
        self.order(&format!("start {id} {promise} {way}"))?;
        Ok(id)
    }

    /// Gathers the whole load, until the last result can be read.
    pub(crate) fn windows(&self, load: &Load, way: Way, promise: Promise) -> Result<Measure> {
        let from = load.result_ends()?;
        let mut results = Results::wait_for(load, load.results())?;
        let id = self.begin(way, promise)?;
        let before = Duration::from_nanos(self.answer("first")?);
        let started = Instant::now();
        results.all_within(PATIENCE + Duration::from_micros(500) * load.messages as u32)?;
        let wall = started.elapsed();
        self.order("stop")?;
        let cpu = Duration::from_nanos(self.answer("stopped")?) - before;
        self.answer("closed")?;
        delete_beginning(&load.brokers, &id)?;
        // At least once it may have told more than once.
        if promise == Promise::Once {
            load.check(&from)?;
        }
        Ok(Measure { messages: load.messages, wall, cpu, latencies: None })
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
