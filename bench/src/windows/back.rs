//! A process that is killed while windows are open, and the one after it.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::load::Load;
use super::ours::{self, ADDED, COUNTING, Idle, Way};
use crate::Result;
use crate::load::delete_beginning;
use crate::report::{Clock, Measure};

/// What is gathered is committed by then: many times the interval.
const COMMITTED: Duration = Duration::from_secs(3);

/// Gathers the load, kills the process, and measures what the next one takes.
pub(crate) fn back(load: &Load, way: Way) -> Result<Measure> {
    let group = format!("bench-{}", uuid::Uuid::new_v4());
    let first = Gathers::start(load, &group, way)?.wait();
    // Killed when dropped.
    let measure = first.and_then(|(first, _)| {
        std::thread::sleep(COMMITTED);
        drop(first);
        Ok(Gathers::start(load, &group, way)?.wait()?.1)
    });
    delete_beginning(&load.brokers, &group)?;
    measure
}

struct Gathers {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    messages: u64,
}

impl Gathers {
    fn start(load: &Load, group: &str, way: Way) -> Result<Self> {
        let way = if way == Way::Rekeyed { "rekeyed" } else { "copartitioned" };
        let mut child = Command::new(std::env::current_exe()?)
            .args(["gather", &load.brokers, group, way, &load.messages.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        Ok(Gathers { child, lines, messages: load.messages })
    }

    /// Until it has everything.
    fn wait(mut self) -> Result<(Self, Measure)> {
        let line = self.lines.next().ok_or("the gathering process has ended")??;
        let (wall, cpu) = line.split_once(' ').ok_or("the gathering process said something else")?;
        let [wall, cpu] = [wall.parse()?, cpu.parse()?].map(Duration::from_nanos);
        let measure = Measure { messages: self.messages, wall, cpu, latencies: None };
        Ok((self, measure))
    }
}

impl Drop for Gathers {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What that process does: it says, in nanoseconds, what it took from the assignment until it has everything, and stays.
pub(crate) fn gather(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut argument = || arguments.next().ok_or("an argument is missing");
    let (brokers, group, way, messages) =
        (argument()?, argument()?, argument()?, argument()?.parse::<u64>()?);
    let way = if way == "rekeyed" { Way::Rekeyed } else { Way::Copartitioned };
    COUNTING.store(true, Ordering::Relaxed);
    crate::ours::runtime()?.block_on(async {
        let app = ours::start(&brokers, &group, way, Idle::Never).await?;
        app.assigned().await;
        let clock = Clock::start();
        let patience = tokio::time::Instant::now() + Duration::from_secs(120);
        while ADDED.load(Ordering::Relaxed) < messages {
            if tokio::time::Instant::now() > patience {
                return Err(format!("gathered {} of {messages}", ADDED.load(Ordering::Relaxed)).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let measure = clock.stop(messages);
        let mut out = std::io::stdout();
        writeln!(out, "{} {}", measure.wall.as_nanos(), measure.cpu.as_nanos())?;
        out.flush()?;
        Err(app.failed().await.to_string().into())
    })
}
