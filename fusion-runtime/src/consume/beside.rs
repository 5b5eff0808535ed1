//! A reactor beside somebody who commits its topic in transactions, since a topic is committed in one way only.
//!
//! Whoever commits reads each batch first and [gives](Beside::give) it on to the reactor's worker, a task of its own: a
//! handler that blocks its thread holds nothing else up. The worker says how far it has come when it was
//! [asked](Beside::ask) and has come further, so what is told between two commits is told once, and the last word is
//! never lost.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{mpsc, watch};

use crate::broker::ffi::Batch;

use super::{
    progress::{Progress, Snapshot},
    service::Taken,
    shared::{Assignment, Served},
    worker::Worker,
};

/// What the one who commits has of a reactor's worker, for one assignment.
pub(crate) struct Beside {
    assignment: Arc<Assignment>,
    batches: mpsc::UnboundedSender<Batch>,
    /// The offset behind the last record that was given on, and how many messages were.
    given: i64,
    count: u64,
    told: watch::Receiver<Told>,
    asked: Arc<AtomicBool>,
    ended: bool,
}

/// How far a worker has come.
#[derive(Clone, Debug)]
struct Told {
    progress: Snapshot,
    /// How many messages it has finished.
    finished: u64,
}

/// What the worker has of the one who commits.
pub(super) struct Tell {
    told: watch::Sender<Told>,
    asked: Arc<AtomicBool>,
}

impl Tell {
    /// Says how far the worker has come, if that was asked. `true`: it was.
    pub(super) fn if_asked(&self, progress: &Progress, finished: u64) -> bool {
        let asked = self.asked.swap(false, Ordering::AcqRel);
        if asked {
            self.now(progress, finished);
        }
        asked
    }

    /// Says how far the worker has come, and how many messages it has finished.
    pub(super) fn now(&self, progress: &Progress, finished: u64) {
        self.told.send_replace(Told { progress: progress.snapshot(), finished });
    }
}

impl Taken {
    /// Begins to serve the partition with a reactor. Records that were `finished` by an earlier owner do not run again.
    pub(crate) fn beside(&self, served: &Arc<Served>, finished: &[Range<i64>]) -> Beside {
        let progress = Progress::resume(self.start, finished.iter().cloned());
        let (told, hears) = watch::channel(Told { progress: progress.snapshot(), finished: 0 });
        let asked = Arc::new(AtomicBool::new(true));
        let (batches, receiver) = mpsc::unbounded_channel();
        let worker = Worker::new(
            self.core.clone(),
            served.clone(),
            self.partition,
            progress,
            self.assignment.clone(),
            Some(self.assignment.work()),
            receiver,
        );
        self.runtime.spawn(worker.telling(Tell { told, asked: asked.clone() }));
        Beside {
            assignment: self.assignment.clone(),
            batches,
            given: self.start,
            count: 0,
            told: hears,
            asked,
            ended: false,
        }
    }
}

impl Beside {
    /// Gives a batch on. It counts as held until the reactor has finished its records.
    pub(crate) fn give(&mut self, batch: Batch) {
        let records = batch.iter().filter(|message| message.error().is_none());
        self.count += batch.len() as u64;
        self.given = records.last().map_or(self.given, |last| last.offset() + 1);
        // If nobody takes it, `told` says so.
        let _ = self.batches.send(batch);
    }

    /// Has the worker say how far it has come, at once or as soon as it has come further than what it said last.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.assignment.wake_reactor();
    }

    /// Waits until the worker has said how far it has come. `false`: it has ended, and will say no more.
    pub(crate) async fn told(&mut self) -> bool {
        self.ended = self.ended || self.told.changed().await.is_err();
        !self.ended
    }

    /// How many messages were given on that are not known to be finished.
    pub(crate) fn open(&self) -> u64 {
        self.count - self.told.borrow().finished
    }

    /// How many offsets lie between the lowest that is not known to be finished and what is given on after `more` others.
    pub(crate) fn span(&self, more: i64) -> i64 {
        let progress = &self.told.borrow().progress;
        let finished = progress.finished_beyond.last().map_or(0, |last| last.end);
        (self.given + more).max(finished) - progress.committable
    }

    /// Whether the worker is not known to have ended.
    pub(crate) fn is_running(&self) -> bool {
        !self.ended
    }

    /// How far the worker has come, as it said last; `next` is the offset that is read next. When it has finished all
    /// that it was given, it needs nothing below that, also where the log has markers of transactions in between.
    pub(crate) fn progress(&self, next: i64) -> Snapshot {
        let mut progress = self.told.borrow().progress.clone();
        if progress.committable >= self.given {
            progress.committable = progress.committable.max(next);
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(start: i64) -> (Beside, Tell) {
        let (told, hears) = watch::channel(Told { progress: Progress::new(start).snapshot(), finished: 0 });
        let asked = Arc::new(AtomicBool::new(true));
        let assignment = Arc::new(Assignment::new(start, std::thread::current()));
        let batches = mpsc::unbounded_channel().0;
        let beside = Beside {
            assignment,
            batches,
            given: start,
            count: 0,
            told: hears,
            asked: asked.clone(),
            ended: false,
        };
        (beside, Tell { told, asked })
    }

    #[tokio::test]
    async fn it_is_told_once_for_each_time_it_is_asked_and_the_last_word_is_heard() {
        let (mut beside, tell) = pair(5);
        let mut progress = Progress::new(5);
        for offset in 5..9 {
            assert!(progress.seen(offset));
        }
        (beside.given, beside.count) = (9, 4);
        assert_eq!((beside.open(), beside.span(0), beside.span(10)), (4, 4, 14));
        progress.finish(6).unwrap();
        progress.finish(8).unwrap();
        assert!(tell.if_asked(&progress, 2) && beside.told().await);
        assert_eq!((beside.open(), beside.span(0)), (2, 4));
        let standing = Snapshot { committable: 5, finished_beyond: vec![6..7, 8..9] };
        assert_eq!(beside.progress(10), standing);
        progress.finish(5).unwrap();
        assert!(!tell.if_asked(&progress, 3), "nobody asked");
        assert_eq!(beside.progress(10), standing);
        beside.ask();
        assert!(tell.if_asked(&progress, 3) && beside.told().await);
        assert_eq!(beside.progress(10).committable, 7);
        progress.finish(7).unwrap();
        tell.now(&progress, 4);
        drop(tell);
        assert!(beside.told().await, "what was said last comes before the end");
        assert_eq!(
            beside.progress(10).committable,
            10,
            "a marker lies behind the last record, and needs nobody"
        );
        assert!(!beside.told().await && !beside.told().await && !beside.is_running());
        assert_eq!((beside.progress(10).committable, beside.open(), beside.span(0)), (10, 0, 0));
    }
}
