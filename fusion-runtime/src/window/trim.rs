//! Deleting from the windows' logs what no window needs any more: they keep everything until then.

use std::{
    collections::HashMap,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error,
    broker::{
        Config,
        topics::{Below, DeleteBelow},
    },
};

/// The least time between two requests, which each cost the brokers a look at all the partitions in it.
const EVERY: Duration = Duration::from_secs(30);
/// A partition is worth a request when so many records can go, or so many bytes.
const MANY_RECORDS: i64 = 5_000;
const MANY_BYTES: u64 = 8 * 1024 * 1024;

/// Has records deleted, by a thread of its own that ends with the last clone. On the embedded broker, which cannot, nothing
/// happens.
#[derive(Clone, Debug)]
pub(crate) struct Trims(Option<mpsc::Sender<Committed>>);

/// Where a partition of a log is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Committed {
    topic: String,
    partition: i32,
    /// It is known to be committed: whoever has the partition next reads nothing below it.
    offset: i64,
    /// How many bytes a record has, about.
    size: u64,
}

impl Trims {
    pub(crate) fn start(config: &Config, app: &str) -> Result<Self, Error> {
        if config.is_embedded() {
            return Ok(Trims(None));
        }
        let client = DeleteBelow::connect(config)?;
        let (sender, committed) = mpsc::channel();
        thread::Builder::new()
            .name(format!("{app}-trims"))
            .spawn(move || delete(&client, &committed))
            .map_err(|error| Error::Thread { name: "trims", error })?;
        Ok(Trims(Some(sender)))
    }

    /// Nothing below this offset is needed any more, which is known to be committed. Records have about `size` bytes.
    pub(crate) fn committed(&self, topic: &str, partition: i32, offset: i64, size: u64) {
        if let Some(sender) = &self.0 {
            // The thread ends only with the last sender.
            let _ = sender.send(Committed { topic: topic.to_owned(), partition, offset, size });
        }
    }
}

fn delete(client: &DeleteBelow, committed: &mpsc::Receiver<Committed>) {
    let mut due = Due::default();
    loop {
        match committed.recv_timeout(EVERY) {
            Ok(committed) => due.committed(committed),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        let wanted = due.take(Instant::now());
        if wanted.is_empty() {
            continue;
        }
        for (below, outcome) in wanted.iter().zip(client.delete(&wanted)) {
            let Below { topic, partition, offset } = below;
            match outcome {
                Ok(()) => due.deleted(below),
                Err(error) => {
                    tracing::warn!(
                        error,
                        topic,
                        partition,
                        offset,
                        "records that no window needs stay in its log"
                    );
                }
            }
        }
    }
}

/// What can go, and when.
#[derive(Debug, Default)]
struct Due {
    logs: HashMap<(String, i32), Log>,
    /// When the last request was made.
    asked: Option<Instant>,
}

#[derive(Debug, Default)]
struct Log {
    /// Nothing is left below it, by what we did; earlier ones may have done more.
    deleted: i64,
    committed: i64,
    size: u64,
}

impl Due {
    fn committed(&mut self, at: Committed) {
        let log = self.logs.entry((at.topic, at.partition)).or_default();
        // A tool may have set the group back: then it is for us to forget what was said before.
        (log.committed, log.size) = (at.offset, at.size);
    }

    fn deleted(&mut self, below: &Below) {
        if let Some(log) = self.logs.get_mut(&(below.topic.clone(), below.partition)) {
            log.deleted = below.offset;
        }
    }

    /// What is worth a request now. Failures are asked for again with the next one.
    fn take(&mut self, now: Instant) -> Vec<Below> {
        if self.asked.is_some_and(|asked| now.duration_since(asked) < EVERY) {
            return Vec::new();
        }
        let worth = |log: &Log| {
            let records = log.committed - log.deleted;
            let bytes = u64::try_from(records).unwrap_or(0).saturating_mul(log.size);
            records >= MANY_RECORDS || bytes >= MANY_BYTES
        };
        let worth = self.logs.iter().filter(|(_, log)| worth(log));
        let wanted: Vec<Below> = worth
            .map(|((topic, partition), log)| Below {
                topic: topic.clone(),
                partition: *partition,
                offset: log.committed,
            })
            .collect();
        if !wanted.is_empty() {
            self.asked = Some(now);
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(partition: i32, offset: i64, size: u64) -> Committed {
        Committed { topic: "log".to_owned(), partition, offset, size }
    }

    fn below(partition: i32, offset: i64) -> Below {
        Below { topic: "log".to_owned(), partition, offset }
    }

    #[test]
    fn what_is_committed_goes_when_it_is_worth_it() {
        let (mut due, now) = (Due::default(), Instant::now());
        due.committed(committed(0, 4_999, 100));
        due.committed(committed(1, 100, 80_000));
        assert_eq!(due.take(now), [], "neither many records nor many bytes");
        due.committed(committed(1, 105, 80_000));
        assert_eq!(due.take(now), [below(1, 105)]);
        due.deleted(&below(1, 105));
        due.committed(committed(0, 5_000, 100));
        assert_eq!(due.take(now + EVERY - Duration::from_millis(1)), [], "too soon");
        assert_eq!(due.take(now + EVERY), [below(0, 5_000)]);
    }

    #[test]
    fn what_failed_is_asked_for_again_and_what_was_deleted_is_not() {
        let (mut due, now) = (Due::default(), Instant::now());
        due.committed(committed(0, 6_000, 1));
        assert_eq!(due.take(now), [below(0, 6_000)]);
        due.committed(committed(0, 6_500, 1));
        assert_eq!(due.take(now + EVERY), [below(0, 6_500)]);
        due.deleted(&below(0, 6_500));
        due.committed(committed(0, 11_000, 1));
        assert_eq!(due.take(now + 2 * EVERY), []);
    }

    #[test]
    fn a_group_that_was_set_back_keeps_what_it_has() {
        let (mut due, now) = (Due::default(), Instant::now());
        due.committed(committed(0, 6_000, 1));
        due.committed(committed(0, 10, 1));
        assert_eq!(due.take(now), []);
    }
}
