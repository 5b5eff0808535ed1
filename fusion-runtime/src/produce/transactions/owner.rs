//! The thread that makes transactions of batches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::{Outgoing, ProduceError};
use super::client::Client;
use super::decide::{Step, Verdict, decide, is_about_membership};
use super::queue::{Commit, Job};
use super::recover::Duels;
use super::shared::{Shared, Status, metadata_too_large};
use super::slot::Slot;
use super::trouble::{Trouble, check_deliveries};
use super::turn::Next;
use super::{Outcome, TransactionError};
use crate::broker::config::TRANSACTION_TIMEOUT;
use crate::broker::ffi::Offsets;
use crate::broker::ffi::transactions::CallError;
use crate::observe::{Count, Counters};

/// The most that a transaction may take, for a batch that is too much for [`TRANSACTION_TIMEOUT`].
const LONGEST: Duration = Duration::from_secs(60);
/// How often an idle thread looks after its client.
const TICK: Duration = Duration::from_millis(500);
/// How long one call may take before it is asked whether the end has come.
const SLICE: Duration = Duration::from_secs(2);
/// How long to wait for room in the producer's queue before the next look.
const ROOM: Duration = Duration::from_millis(20);

/// How long to wait before something is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Between two tries of the same call.
    pub(super) call: Duration,
    /// Before the first repetition of a batch; each further one waits twice as long.
    pub(super) first: Duration,
    /// Before any repetition at most, and until the group's consumer has told its new generation.
    pub(super) most: Duration,
    /// Before a producer is made, or offsets are asked for, again.
    pub(super) renew: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            call: Duration::from_millis(20),
            first: Duration::from_millis(20),
            most: Duration::from_secs(1),
            renew: Duration::from_millis(200),
        }
    }
}

pub(super) struct Owner<C> {
    pub(super) client: C,
    pub(super) shared: Arc<Shared>,
    pub(super) counters: Arc<Counters>,
    pub(super) slot: Slot,
    pub(super) duels: Duels,
    pub(super) patience: Patience,
    /// How long a transaction may take.
    pub(super) time: Duration,
}

/// Why the thread ends.
#[derive(Debug)]
pub(super) enum End {
    /// It was asked to, and the time is over.
    Closed,
    Failed(TransactionError),
}

/// Ends the handles too, however the thread ends.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end(Status::Ended);
        self.0.set_over();
    }
}

impl<C: Client> Owner<C> {
    pub(super) fn run(mut self) {
        let guard = EndGuard(self.shared.clone());
        let end = match self.init() {
            Ok(()) => {
                self.shared.set_status(Status::Ready);
                self.serve()
            }
            Err(end) => end,
        };
        let status = match end {
            End::Closed => Status::Ended,
            End::Failed(error) => {
                tracing::error!(%error, "transactions end");
                Status::Failed(error)
            }
        };
        // Nobody waits for the client's end who only waits for a batch.
        self.shared.end(status);
        drop(self);
        drop(guard);
    }

    fn serve(&mut self) -> End {
        loop {
            match self.shared.next(TICK) {
                Next::Idle => self.client.serve(),
                Next::Close => return End::Closed,
                Next::Jobs(mut jobs) => {
                    let done = self.transact(&mut jobs);
                    if let Err(end) = &done {
                        jobs.drain(..).for_each(|job| job.settle(Err(end.error())));
                    }
                    self.shared.end_transaction();
                    if let Err(end) = done {
                        return end;
                    }
                }
            }
        }
    }

    /// Commits these batches, whatever it takes, as far as they stay ours. At the end, those are left that are not known
    /// to be committed.
    fn transact(&mut self, jobs: &mut Vec<Job>) -> Result<(), End> {
        let mut pause = self.patience.first;
        loop {
            let lost = self.shared.keep_ours(jobs);
            self.counters.add(Count::BatchesLost, lost as u64);
            if jobs.is_empty() {
                return Ok(());
            }
            let news = self.shared.news();
            let committed = match self.attempt(jobs) {
                Ok(()) => true,
                Err(trouble) => {
                    let slow = trouble.is_slow();
                    if slow && let [job] = &jobs[..] {
                        self.take_longer(job);
                    }
                    let committed = self.resolve(trouble, jobs, news)?;
                    if slow && !committed {
                        self.shared.take_less(jobs);
                    }
                    committed
                }
            };
            if committed {
                self.shared.take_more();
                self.counters.one(Count::TransactionsCommitted);
                jobs.drain(..).for_each(|job| job.settle(Ok(Outcome::Committed)));
                if self.time > TRANSACTION_TIMEOUT {
                    self.time = TRANSACTION_TIMEOUT;
                    self.renew("the next transactions need not take longer than usual")?;
                }
                return Ok(());
            }
            if self.is_late() {
                return Err(End::Closed);
            }
            self.shared.pause(pause);
            pause = (pause * 2).min(self.patience.most);
        }
    }

    /// A batch is won or lost as one, so what is too much for the time of a transaction gets more of it, from the next
    /// producer on. That is the exception: as long as a transaction is open, nobody reads behind its beginning.
    fn take_longer(&mut self, job: &Job) {
        let place = job.commits.first().map(Commit::place);
        let (records, bytes, took) = (job.batch.len(), job.batch.bytes(), self.time.as_secs());
        self.time = (self.time * 2).min(LONGEST);
        tracing::warn!(
            ?place,
            records,
            bytes,
            took,
            next = self.time.as_secs(),
            "the brokers did not take a batch in the seconds of one transaction, and it cannot be divided: what a window's \
             partition sends at one moment. If they are not just away, use more partitions, or close fewer windows at once"
        );
    }

    /// One transaction, up to its commit.
    fn attempt(&mut self, jobs: &[Job]) -> Result<(), Trouble> {
        let until = Instant::now() + self.time;
        self.client.failures();
        self.call(Step::Begin, until, |client, _| client.begin())?;
        self.produce(jobs, until)?;
        let offsets = offsets(jobs)?;
        let group = self.shared.group().unwrap_or_else(|| jobs[0].batch.group().clone());
        // The records are on their way meanwhile.
        let mut offsets = Some(offsets);
        self.call(Step::Offsets, until, |client, limit| {
            let offsets = match offsets.take() {
                Some(offsets) => offsets,
                None => self::offsets(jobs).unwrap_or_default(),
            };
            client.offsets(offsets, &group, limit)
        })?;
        let flushed = self.flush(until);
        check_deliveries(self.client.failures())?;
        if !flushed {
            return Err(Trouble::doubt(Code::MessageTimedOut, "records were not confirmed in time"));
        }
        // The last moment to keep back what was lost. From here on, only the broker can.
        if self.shared.any_lost(jobs) {
            return Err(Trouble::Lost);
        }
        self.call(Step::Commit, until, |client, limit| client.commit(limit))?;
        if self.shared.forgets_outcome() {
            return Err(Trouble::doubt(Code::OperationTimedOut, "a test forgot the outcome"));
        }
        Ok(())
    }

    fn produce(&mut self, jobs: &[Job], until: Instant) -> Result<(), Trouble> {
        for (index, job) in jobs.iter().enumerate() {
            let client = &mut self.client;
            let produced = job.batch.try_each(|record| queue(client, record, index, until));
            match produced {
                Ok(()) => {}
                // The transaction has failed already: the next call says why.
                Err((Code::State | Code::Fatal, _)) => return Ok(()),
                Err((code @ Code::QueueFull, _)) => {
                    return Err(Trouble::doubt(code, "the brokers take records too slowly"));
                }
                Err((code, topic)) => {
                    return Err(Trouble::Refused(vec![(index, ProduceError::of(code, &topic).into())]));
                }
            }
        }
        Ok(())
    }

    /// Waits until every record is confirmed or has failed, and says whether that is so.
    fn flush(&mut self, until: Instant) -> bool {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.client.flush(left.min(SLICE)) {
                return true;
            }
            if left.is_zero() || self.is_late() {
                return false;
            }
        }
    }

    /// Makes a call until it is decided.
    pub(super) fn call(
        &mut self,
        step: Step,
        until: Instant,
        mut call: impl FnMut(&mut C, Duration) -> Result<(), CallError>,
    ) -> Result<(), Trouble> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Err(error) = call(&mut self.client, left.min(SLICE)) else { return Ok(()) };
            let time = !self.is_late() && !left.is_zero();
            match decide(step, &error) {
                Verdict::Repeat if time => {
                    tracing::debug!(%error, ?step, "a transaction's call is repeated");
                    self.client.serve();
                    self.shared.pause(self.patience.call);
                }
                Verdict::Repeat => return Err(Trouble::doubt(error.code, &error.text)),
                _ if error.code == Code::OffsetMetadataTooLarge => return Err(Trouble::MetadataTooLarge),
                verdict => return Err(Trouble::Failed { verdict, code: error.code, text: error.text }),
            }
        }
    }

    /// Brings a failed transaction to a known end, and leaves in `jobs` what is to be sent again. Says whether it turned
    /// out to be committed.
    fn resolve(&mut self, trouble: Trouble, jobs: &mut Vec<Job>, news: u64) -> Result<bool, End> {
        let text = trouble.to_string();
        match trouble {
            Trouble::Lost => self.abort(&text)?,
            Trouble::Refused(refused) => {
                self.abort(&text)?;
                for (index, error) in refused.into_iter().rev() {
                    tracing::error!(%error, "a batch cannot be committed");
                    self.shared.refuse(jobs.remove(index), error);
                }
            }
            Trouble::MetadataTooLarge => {
                self.abort(&text)?;
                self.refuse_long_metadata(jobs);
            }
            Trouble::Failed { verdict: Verdict::Abort | Verdict::Repeat, code, .. } => {
                self.abort(&text)?;
                if is_about_membership(code) {
                    // Until the group's consumer has told what is lost, or its new generation.
                    self.shared.pause_after(news, self.patience.most);
                }
            }
            Trouble::Failed { verdict: Verdict::Doubt, .. } => return self.find_out(&text, jobs),
            Trouble::Failed { verdict: Verdict::Fenced, .. } => {
                self.duel()?;
                return self.find_out(&text, jobs);
            }
            Trouble::Failed { verdict: Verdict::Stop, .. } => return Err(self.fail(text)),
        }
        Ok(false)
    }

    fn abort(&mut self, reason: &str) -> Result<(), End> {
        self.counters.one(Count::TransactionsAborted);
        tracing::warn!(reason, id = self.slot.id(), "a transaction is aborted");
        let until = Instant::now() + TRANSACTION_TIMEOUT;
        let aborted = self.call(Step::Abort, until, |client, limit| client.abort(limit));
        // Records that ran out of time may still arrive, in the next transaction of this producer.
        let late = check_deliveries(self.client.failures());
        // The commit was never sent, so there is no doubt about that, only about this producer.
        match (aborted, late) {
            (Err(trouble), _) => self.renew(&trouble.to_string()),
            (Ok(()), Err(Trouble::Failed { verdict, text, .. })) if verdict != Verdict::Abort => {
                self.renew(&text)
            }
            _ => Ok(()),
        }
    }

    fn refuse_long_metadata(&self, jobs: &mut Vec<Job>) {
        let limit = self.shared.halve_metadata_limit();
        let longest = jobs.iter().flat_map(|job| &job.commits).map(|commit| commit.text.len()).max();
        // Some of it was too long; if nothing is longer than we believe now, it is the longest.
        let limit = limit.min(longest.unwrap_or(0).saturating_sub(1));
        let mut index = 0;
        while index < jobs.len() {
            let long = jobs[index].commits.iter().find(|commit| commit.text.len() > limit);
            match long.map(|commit| metadata_too_large(commit, limit)) {
                Some(error) => self.shared.refuse(jobs.remove(index), error),
                None => index += 1,
            }
        }
    }

    /// Whether there is no time left.
    pub(super) fn is_late(&self) -> bool {
        self.shared.closing().is_some_and(|until| Instant::now() >= until)
    }

    /// The end, because the brokers refuse us.
    pub(super) fn fail(&self, reason: String) -> End {
        End::Failed(TransactionError::Fatal { id: self.slot.id(), reason })
    }
}

impl End {
    /// What it is for a batch at hand.
    fn error(&self) -> TransactionError {
        match self {
            End::Closed => TransactionError::Closed,
            End::Failed(error) => error.clone(),
        }
    }
}

/// Queues a record, waiting for room if need be. On an error, its topic too.
fn queue<C: Client>(
    client: &mut C,
    record: &Outgoing<'_>,
    job: usize,
    until: Instant,
) -> Result<(), (Code, String)> {
    loop {
        match client.produce(record, job) {
            Ok(()) => return Ok(()),
            Err(Code::QueueFull) if Instant::now() < until => drop(client.flush(ROOM)),
            Err(code) => return Err((code, record.topic.to_owned())),
        }
    }
}

/// The offsets of all batches; of one partition, the last counts.
fn offsets(jobs: &[Job]) -> Result<Offsets, Trouble> {
    let mut offsets = Offsets::new();
    for (index, job) in jobs.iter().enumerate() {
        for commit in &job.commits {
            offsets.set(&commit.topic, commit.partition, commit.offset, commit.text.as_bytes()).map_err(
                |code| Trouble::Refused(vec![(index, ProduceError::of(code, &commit.topic).into())]),
            )?;
        }
    }
    Ok(offsets)
}
