//! Counting results as they become readable, in a process of its own: what that costs is no side's.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::Message;

use super::load::{CLOSER, Load};
use crate::Result;

/// The process that counts.
pub(crate) struct Results {
    child: Child,
    done: tokio::sync::watch::Receiver<bool>,
}

impl Results {
    /// Starts it at the ends of the results, and returns when it is there.
    pub(crate) fn wait_for(load: &Load, count: u64) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["count", &load.brokers, &load.partitions.to_string(), &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        match lines.next() {
            Some(Ok(line)) if line == "ready" => {}
            other => return Err(format!("the counting process said {other:?}").into()),
        }
        let (tell, done) = tokio::sync::watch::channel(false);
        std::thread::spawn(move || {
            if matches!(lines.next(), Some(Ok(line)) if line == "done") {
                let _ = tell.send(true);
            }
        });
        Ok(Results { child, done })
    }

    /// Returns when all are readable.
    pub(crate) async fn all(&mut self) {
        if self.done.wait_for(|done| *done).await.is_err() {
            // It ended before; whoever waits for it gives up by the clock.
            std::future::pending::<()>().await;
        }
    }

    pub(crate) fn all_within(&mut self, patience: Duration) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let all = async { tokio::time::timeout(patience, self.all()).await };
        Ok(runtime.block_on(all).map_err(|_| format!("not all results after {patience:?}"))?)
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What that process does.
pub(crate) fn count(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut argument = || arguments.next().ok_or("an argument is missing");
    let (brokers, partitions, wanted) = (argument()?, argument()?.parse()?, argument()?.parse::<u64>()?);
    let load = Load::of(brokers, partitions);
    let consumer = load.results_from(&load.result_ends()?)?;
    // Fetching must have begun: the first answer tells.
    consumer.poll(Duration::from_millis(200));
    say("ready")?;
    let mut seen = 0;
    while seen < wanted {
        let Some(record) = consumer.poll(Duration::from_secs(1)) else { continue };
        if !record?.key().is_some_and(|key| key.starts_with(CLOSER.as_bytes())) {
            seen += 1;
        }
    }
    say("done")
}

fn say(word: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{word}")?;
    Ok(out.flush()?)
}
