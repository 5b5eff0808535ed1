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
    /// The offset behind the last record that was given on.
    given: i64,
    told: watch::Receiver<Snapshot>,
    asked: Arc<AtomicBool>,
    ended: bool,
}

/// What the worker has of the one who commits.
pub(super) struct Tell {
    told: watch::Sender<Snapshot>,
    asked: Arc<AtomicBool>,
}

impl Tell {
    /// Says how far the worker has come, if that was asked. `true`: it was.
    pub(super) fn if_asked(&self, progress: &Progress) -> bool {
        let asked = self.asked.swap(false, Ordering::AcqRel);
        if asked {
            self.now(progress);
        }
        asked
    }

    /// Says how far the worker has come.
    pub(super) fn now(&self, progress: &Progress) {
        self.told.send_replace(progress.snapshot());
    }
}

impl Taken {
    /// Begins to serve the partition with a reactor. Records that were `finished` by an earlier owner do not run again.
    pub(crate) fn beside(&self, served: &Arc<Served>, finished: &[Range<i64>]) -> Beside {
        let progress = Progress::resume(self.start, finished.iter().cloned());
        let (told, hears) = watch::channel(progress.snapshot());
        let asked = Arc::new(AtomicBool::new(true));
        let (batches, receiver) = mpsc::unbounded_channel();
        self.assignment.join();
        let worker = Worker::new(
            self.core.clone(),
            served.clone(),
            self.partition,
            progress,
            self.assignment.clone(),
            receiver,
        );
        self.runtime.spawn(worker.telling(Tell { told, asked: asked.clone() }));
        Beside {
            assignment: self.assignment.clone(),
            batches,
            given: self.start,
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

    /// Whether the worker is not known to have ended.
    pub(crate) fn is_running(&self) -> bool {
        !self.ended
    }

    /// How far the worker has come, as it said last; `next` is the offset that is read next. When it has finished all
    /// that it was given, it needs nothing below that, also where the log has markers of transactions in between.
    pub(crate) fn progress(&self, next: i64) -> Snapshot {
        let mut progress = self.told.borrow().clone();
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
        let (told, hears) = watch::channel(Progress::new(start).snapshot());
        let asked = Arc::new(AtomicBool::new(true));
        let assignment = Arc::new(Assignment::new(start, std::thread::current()));
        let batches = mpsc::unbounded_channel().0;
        let beside =
            Beside { assignment, batches, given: start, told: hears, asked: asked.clone(), ended: false };
        (beside, Tell { told, asked })
    }

    #[tokio::test]
    async fn it_is_told_once_for_each_time_it_is_asked_and_the_last_word_is_heard() {
        let (mut beside, tell) = pair(5);
        let mut progress = Progress::new(5);
        for offset in 5..9 {
            assert!(progress.seen(offset));
        }
        beside.given = 9;
        progress.finish(6).unwrap();
        progress.finish(8).unwrap();
        assert!(tell.if_asked(&progress) && beside.told().await);
        let standing = Snapshot { committable: 5, finished_beyond: vec![6..7, 8..9] };
        assert_eq!(beside.progress(10), standing);
        progress.finish(5).unwrap();
        assert!(!tell.if_asked(&progress), "nobody asked");
        assert_eq!(beside.progress(10), standing);
        beside.ask();
        assert!(tell.if_asked(&progress) && beside.told().await);
        assert_eq!(beside.progress(10).committable, 7);
        progress.finish(7).unwrap();
        tell.now(&progress);
        drop(tell);
        assert!(beside.told().await, "what was said last comes before the end");
        assert_eq!(
            beside.progress(10).committable,
            10,
            "a marker lies behind the last record, and needs nobody"
        );
        assert!(!beside.told().await && !beside.told().await && !beside.is_running());
        assert_eq!(beside.progress(10).committable, 10);
    }
}
