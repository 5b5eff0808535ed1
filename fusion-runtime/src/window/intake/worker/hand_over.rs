//! What is handed over: records, what the partition knows of time, and how far everybody is who shares it.

use futures_util::{future::OptionFuture, stream::StreamExt};

use crate::{
    consume::Beside,
    produce::{Outgoing, transactions::Batch},
    window::{
        clock,
        log::{CONTROL, Claim, Control},
    },
};

use super::{
    super::{
        Target,
        left::{Left, fit},
    },
    MOST_PENDING, REPEAT, Worker, open,
};

impl Worker {
    /// Hands over what was read, and behind it, into every partition of each log, what this partition knows of time.
    pub(super) fn hand_over(&mut self, now: i64) {
        open(&mut self.batch, &self.taken);
        let Some(mut batch) = self.batch.take() else { return };
        for (index, target) in self.shared.targets.iter().enumerate() {
            let newest = self.heard[index].newest;
            let control = Control {
                stamp: now,
                partitions: target.window.partitions,
                sources: target.window.sources.as_slice().into(),
                claims: vec![Claim {
                    topic: self.shared.topic.as_str().into(),
                    partition: self.taken.partition,
                    newest: newest.map(|newest| (newest.time, newest.arrived)),
                    idle: self.told_idle[index],
                }],
                drain: false,
            };
            let value = control.to_bytes();
            for partition in 0..target.window.partitions {
                batch.push(&Outgoing {
                    partition: Some(partition),
                    value: Some(&value),
                    timestamp: Some(now),
                    headers: &[(CONTROL.as_bytes(), Some(b"1"))],
                    ..Outgoing::to(&target.window.log)
                });
            }
        }
        self.submit(batch);
        self.due = None;
        self.repeat = now + self.shared.targets.iter().map(Target::repeat).min().unwrap_or(REPEAT);
    }

    /// Hands over how far the reactor has come, if that is due and nothing was read that it could go with.
    pub(super) fn hand_over_progress(&mut self, now: i64) {
        let due = self.progress_due.is_some_and(|due| due <= now);
        if !due || self.due.is_some() || self.batch.is_some() || self.pending.len() >= MOST_PENDING {
            return;
        }
        if let Some(membership) = self.taken.membership() {
            self.submit(Batch::new(membership));
        }
    }

    /// Commits with a batch where everybody stands. It has all that was read.
    fn submit(&mut self, mut batch: Batch) {
        let left = self.left();
        let mut metadata = left.to_metadata();
        fit(&mut metadata, self.shared.transactions.metadata_limit());
        batch.commit(&self.shared.topic, self.taken.partition, self.taken.epoch, metadata);
        self.pending.push_back(self.shared.transactions.submit(batch));
        self.commits.push_back(left.read);
        self.progress_due = None;
        if let Some(beside) = &self.beside {
            beside.ask();
        }
    }

    /// Where everybody stands who shares the partition.
    pub(super) fn left(&self) -> Left {
        let next = self.silence.next();
        let names = self.shared.targets.iter().map(|target| target.window.spec.name);
        Left {
            read: next.max(self.handed_over),
            newest: names.zip(self.heard.iter().map(|heard| heard.newest)).collect(),
            reactor: self.beside.as_ref().map(|beside| beside.progress(next)),
        }
    }

    /// What was read is handed over, and the assignment ends with its transaction: whoever has the partition next begins
    /// behind it. What the reactor still finishes is handed over as it comes.
    pub(super) async fn give_back(&mut self) {
        let assignment = self.taken.assignment.clone();
        while self.taken.batches.try_recv().is_ok() {}
        if !assignment.is_abandoned() {
            self.hand_over(clock::now());
            self.shared.transactions.hurry();
        }
        while !assignment.is_abandoned() {
            let runs = self.beside.as_ref().is_some_and(Beside::is_running);
            self.hand_over_progress(i64::MAX);
            if !runs {
                if self.pending.is_empty() {
                    break;
                }
                self.shared.transactions.hurry();
            }
            let beside = self.beside.as_mut().filter(|_| runs);
            tokio::select! {
                () = assignment.abandoned() => {}
                Some(further) = OptionFuture::from(beside.map(Beside::told)) => {
                    if further {
                        self.progress_due = Some(0);
                    }
                }
                Some(outcome) = self.pending.next(), if !self.pending.is_empty() => drop(self.settle(outcome)),
            }
        }
    }
}
