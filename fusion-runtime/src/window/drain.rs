//! Firing everything that is open because somebody asks for it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{mpsc, oneshot};

use crate::produce::transactions::Epoch;

/// Told when everything that was open is committed; dropped if the partition is somebody else's by then.
type Asked = oneshot::Sender<()>;

/// Who gathers the partitions of one window in this instance, and can be asked.
#[derive(Debug, Default)]
pub(crate) struct Drains(Mutex<BTreeMap<i32, (Epoch, mpsc::UnboundedSender<Asked>)>>);

impl Drains {
    /// A partition is gathered from now on.
    pub(super) fn join(&self, partition: i32, epoch: Epoch) -> Draining {
        let (sender, requests) = mpsc::unbounded_channel();
        let mut all = self.lock();
        if all.get(&partition).is_none_or(|(before, _)| *before < epoch) {
            all.insert(partition, (epoch, sender));
        }
        drop(all);
        Draining {
            requests,
            waiting: Vec::new(),
            asked: Vec::new(),
            step: Step::Nothing,
            written: Vec::new(),
        }
    }

    /// Nobody gathers the partition under this assignment any more.
    pub(super) fn leave(&self, partition: i32, epoch: Epoch) {
        let mut all = self.lock();
        if all.get(&partition).is_some_and(|(before, _)| *before == epoch) {
            all.remove(&partition);
        }
    }

    /// Asks all of them.
    pub(crate) fn ask(&self) -> Vec<oneshot::Receiver<()>> {
        let ask = |(_, requests): &(Epoch, mpsc::UnboundedSender<Asked>)| {
            let (tell, told) = oneshot::channel();
            requests.send(tell).is_ok().then_some(told)
        };
        self.lock().values().filter_map(ask).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, (Epoch, mpsc::UnboundedSender<Asked>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a partition's worker does about it.
#[derive(Debug)]
pub(super) struct Draining {
    requests: mpsc::UnboundedReceiver<Asked>,
    /// Those who came while a drain was at work: what has been opened since is theirs.
    waiting: Vec<Asked>,
    asked: Vec<Asked>,
    step: Step,
    /// The stamps of what was written for this drain: more than one where one was long in coming back.
    written: Vec<i64>,
}

/// How far a drain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nobody asks.
    Nothing,
    /// Everything is to fire.
    Asked,
    /// The log was told at this time, and says so when it is read.
    Written(i64),
    /// Everything has fired, and is to be cut.
    Fired,
    /// The cut with this number has everything.
    Cut(u64),
}

impl Draining {
    /// Waits until somebody asks.
    pub(super) async fn requested(&mut self) {
        if self.step == Step::Nothing && !self.waiting.is_empty() {
            // They came while the last drain was at work, which is over.
            return;
        }
        match self.requests.recv().await {
            Some(asked) => self.waiting.push(asked),
            // The partition has a new worker, and this one is about to end.
            None => std::future::pending().await,
        }
    }

    /// How far the drain has come. A new one begins when the last is over.
    pub(super) fn step(&mut self) -> Step {
        if self.step == Step::Nothing && !self.waiting.is_empty() {
            self.asked.append(&mut self.waiting);
            self.step = Step::Asked;
        }
        self.step
    }

    pub(super) fn reach(&mut self, step: Step) {
        self.step = step;
    }

    /// The log was told with this stamp.
    pub(super) fn wrote(&mut self, stamp: i64) {
        self.written.push(stamp);
        self.step = Step::Written(stamp);
    }

    /// A drain with this stamp was read from the log. One that an earlier owner wrote may have come before what is to be
    /// drained.
    pub(super) fn read(&mut self, stamp: i64) {
        if matches!(self.step, Step::Asked | Step::Written(_)) && self.written.contains(&stamp) {
            self.step = Step::Fired;
        }
    }

    /// So many cuts are committed: the drain may be over.
    pub(super) fn committed(&mut self, cuts: u64) {
        if matches!(self.step, Step::Cut(cut) if cuts >= cut) {
            self.done();
        }
    }

    fn done(&mut self) {
        for asked in self.asked.drain(..) {
            // Whoever asked may have gone.
            let _ = asked.send(());
        }
        self.step = Step::Nothing;
        self.written.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_drain_after_the_other() {
        let drains = Drains::default();
        assert!(drains.ask().is_empty(), "nothing is gathered here");
        let mut draining = drains.join(0, 1);
        assert_eq!(draining.step(), Step::Nothing);
        let mut first = drains.ask();
        draining.requested().await;
        assert_eq!(draining.step(), Step::Asked);
        draining.reach(Step::Fired);
        let mut second = drains.ask();
        draining.requested().await;
        assert_eq!(draining.step(), Step::Fired);
        draining.reach(Step::Cut(3));
        draining.committed(2);
        assert_eq!(draining.step(), Step::Cut(3));
        draining.committed(3);
        assert!(first[0].try_recv().is_ok() && second[0].try_recv().is_err());
        draining.requested().await;
        assert_eq!(draining.step(), Step::Asked, "what was opened since");
        drains.leave(0, 1);
        drop(draining);
        assert!(second.remove(0).await.is_err(), "somebody else has the partition");
    }

    #[tokio::test]
    async fn what_an_earlier_owner_wrote_is_not_read_as_ones_own() {
        let drains = Drains::default();
        let mut draining = drains.join(0, 1);
        draining.read(5);
        assert_eq!(draining.step(), Step::Nothing);
        let _told = drains.ask();
        draining.requested().await;
        assert_eq!(draining.step(), Step::Asked);
        draining.wrote(20);
        draining.read(10);
        assert_eq!(draining.step(), Step::Written(20));
        // It is long in coming back, and is written once more.
        draining.reach(Step::Asked);
        draining.wrote(30);
        draining.read(20);
        assert_eq!(draining.step(), Step::Fired);
        draining.reach(Step::Cut(1));
        draining.read(30);
        assert_eq!(draining.step(), Step::Cut(1));
        draining.committed(1);
        assert_eq!(draining.step(), Step::Nothing);
    }

    #[test]
    fn an_earlier_assignment_does_not_take_the_place_of_a_later_one() {
        let drains = Drains::default();
        let _draining = drains.join(0, 2);
        // It was given back before it began.
        let _late = drains.join(0, 1);
        drains.leave(0, 1);
        assert_eq!(drains.ask().len(), 1);
    }
}
