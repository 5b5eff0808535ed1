//! After an error that leaves the outcome open, or the producer unusable.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::TransactionError;
use super::client::Client;
use super::decide::{Step, Verdict};
use super::owner::{End, Owner};
use super::queue::{Commit, Job};
use super::slot::Slot;
use super::trouble::Trouble;
use crate::broker::config::TRANSACTION_TIMEOUT;
use crate::broker::ffi::Committed;
use crate::consume::metadata::Answer;
use crate::observe::Count;

/// How long the question for offsets waits: longer than a transaction can be open, since until then they are not stable.
const COMMITTED_LIMIT: Duration = TRANSACTION_TIMEOUT.saturating_add(Duration::from_secs(5));
/// So many fencings within so long are no time-outs of our own: somebody else lives under our id.
const DUEL: (usize, Duration) = (3, Duration::from_secs(60));

/// When we were fenced.
#[derive(Debug, Default)]
pub(super) struct Duels(VecDeque<Instant>);

impl Duels {
    /// Notes a fencing, and says whether somebody else has to be living under our id.
    fn note(&mut self, now: Instant) -> bool {
        self.0.push_back(now);
        while self.0.front().is_some_and(|first| now.duration_since(*first) > DUEL.1) {
            self.0.pop_front();
        }
        let other = self.0.len() >= DUEL.0;
        if other {
            self.0.clear();
        }
        other
    }
}

impl<C: Client> Owner<C> {
    /// Gets an id from the brokers, which ends what the last holder left open.
    pub(super) fn init(&mut self) -> Result<(), End> {
        loop {
            let until = Instant::now() + COMMITTED_LIMIT;
            let Err(trouble) = self.call(Step::Init, until, |client, limit| client.init(limit)) else {
                return Ok(());
            };
            match trouble {
                Trouble::Failed { verdict: Verdict::Stop, text, .. } => {
                    return Err(self.fail(text));
                }
                Trouble::Failed { verdict: Verdict::Fenced, .. } => self.duel()?,
                trouble => {
                    tracing::warn!(reason = %trouble, id = self.slot.id(), "no transactional producer yet")
                }
            }
            self.replace()?;
        }
    }

    /// Goes on with a new producer.
    pub(super) fn renew(&mut self, reason: &str) -> Result<(), End> {
        tracing::warn!(reason, id = self.slot.id(), "the transactional producer is replaced");
        self.replace()?;
        self.init()
    }

    fn replace(&mut self) -> Result<(), End> {
        loop {
            if self.is_late() {
                return Err(End::Closed);
            }
            match self.client.renew(&self.slot.id(), self.time) {
                Ok(()) => return Ok(()),
                Err(error) => tracing::error!(error, "no transactional producer could be made"),
            }
            self.shared.pause(self.patience.renew);
        }
    }

    /// We were fenced: by our own time-out, or by somebody else.
    pub(super) fn duel(&mut self) -> Result<(), End> {
        if !self.duels.note(Instant::now()) {
            return Ok(());
        }
        let id = self.slot.id();
        if self.slot.is_chosen() {
            return Err(End::Failed(TransactionError::Fenced { id }));
        }
        self.slot = Slot::by_chance(self.slot.group());
        tracing::warn!(
            id,
            now = self.slot.id(),
            "another instance uses our transactional id too: give each its own `Config::slot`"
        );
        Ok(())
    }

    /// Replaces the producer, which ends the transaction either way, and asks the committed offsets which way it was.
    pub(super) fn find_out(&mut self, reason: &str, jobs: &[Job]) -> Result<bool, End> {
        self.counters.one(Count::TransactionsInDoubt);
        self.renew(reason)?;
        let happened = self.ask(jobs)?;
        tracing::info!(happened, "a transaction whose outcome was not known");
        Ok(happened)
    }

    fn ask(&mut self, jobs: &[Job]) -> Result<bool, End> {
        let sent = last_commits(jobs);
        let places: Vec<_> = sent.iter().map(|commit| commit.place()).collect();
        loop {
            match Answer::from(self.client.committed(&places, COMMITTED_LIMIT)) {
                Answer::Known(committed) => return Ok(happened(&sent, &committed)),
                Answer::NotYet(code) => tracing::warn!(%code, "committed offsets are not known yet"),
                Answer::Refused(code) => return Err(self.fail(code.to_string())),
            }
            if self.is_late() {
                return Err(End::Closed);
            }
            self.shared.pause(self.patience.renew);
        }
    }
}

/// What a transaction of these batches commits: of one partition, the last offset.
fn last_commits(jobs: &[Job]) -> Vec<&Commit> {
    let mut last: Vec<&Commit> = Vec::new();
    for commit in jobs.iter().flat_map(|job| &job.commits) {
        match last.iter_mut().find(|known| known.place() == commit.place()) {
            Some(known) => *known = commit,
            None => last.push(commit),
        }
    }
    last
}

/// Whether a transaction that was to commit this has done so, judged by what is committed. It has done all or nothing, so
/// one offset with our own text proves it: no other commit has the same. Without that, somebody has committed since;
/// where all partitions are beyond us, what we did is in it, since whoever goes on begins where we ended.
fn happened(sent: &[&Commit], committed: &[Committed]) -> bool {
    let of = |commit: &Commit| {
        let place = |known: &&Committed| (&*known.topic, known.partition) == commit.place();
        committed.iter().find(place)
    };
    let is_ours = |commit: &&Commit| {
        of(commit).is_some_and(|known| {
            known.offset == Some(commit.offset) && known.metadata == commit.text.as_bytes()
        })
    };
    let is_beyond =
        |commit: &&Commit| of(commit).and_then(|known| known.offset).is_some_and(|at| at > commit.offset);
    sent.iter().any(is_ours) || (!sent.is_empty() && sent.iter().all(is_beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(partition: i32, offset: i64, text: &str) -> Commit {
        Commit { topic: "orders".into(), partition, epoch: 1, offset, text: text.into() }
    }

    fn known(partition: i32, offset: Option<i64>, text: &str) -> Committed {
        Committed {
            topic: "orders".into(),
            partition,
            offset,
            metadata: text.as_bytes().to_vec(),
            error: None,
        }
    }

    #[test]
    fn the_committed_offsets_tell_what_happened() {
        let (a, b) = (commit(0, 10, "a"), commit(1, 20, "b"));
        let sent = [&a, &b];
        for (committed, expected, why) in [
            ([known(0, Some(10), "a"), known(1, Some(20), "b")], true, "both as sent"),
            ([known(0, Some(10), "a"), known(1, Some(5), "")], true, "one moved back since"),
            ([known(0, Some(9), "x"), known(1, Some(20), "y")], false, "as before"),
            ([known(0, Some(10), "x"), known(1, Some(20), "y")], false, "same offsets, but not this commit"),
            ([known(0, None, ""), known(1, None, "")], false, "nothing yet"),
            ([known(0, Some(11), "x"), known(1, Some(21), "y")], true, "gone on since"),
            ([known(0, Some(11), "x"), known(1, Some(20), "y")], false, "only one has gone on"),
        ] {
            assert_eq!(happened(&sent, &committed), expected, "{why}");
        }
        assert!(!happened(&sent, &[]));
    }

    #[test]
    fn time_outs_are_no_duel() {
        let (mut duels, start) = (Duels::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!duels.note(at(0)) && !duels.note(at(40)) && !duels.note(at(80)));
        assert!(duels.note(at(90)), "the third within a minute");
        assert!(!duels.note(at(91)), "counted anew under the new id");
    }
}
