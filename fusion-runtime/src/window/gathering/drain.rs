//! Draining a partition of a log: one control record in it fires what is open, wherever it is read.

use crate::{
    Error,
    window::{drain::Step, log::Control},
};

use super::worker::{TICK_LOST, Worker};

impl Worker {
    /// Goes on with a drain, if there is one.
    pub(super) fn drain(&mut self, now: i64) -> Result<(), Error> {
        match self.draining.step() {
            Step::Written(at) if now >= at + TICK_LOST => self.draining.reach(Step::Asked),
            _ => {}
        }
        match self.draining.step() {
            Step::Asked if !self.gathering.is_replaying() => {
                let declared = self.shared.declared.clone();
                let control = Control {
                    stamp: now,
                    lease: Some(declared.lease()),
                    partitions: declared.partitions,
                    sources: declared.sources.as_slice().into(),
                    claims: Vec::new(),
                    drain: true,
                };
                if self.write(&control) {
                    self.draining.wrote(now);
                }
            }
            Step::Fired => {
                self.cut_now(now)?;
                if self.cut_at == self.next {
                    self.draining.reach(Step::Cut(self.outbox.made()));
                }
            }
            _ => {}
        }
        self.draining.committed(self.outbox.confirmed().cuts);
        Ok(())
    }
}
