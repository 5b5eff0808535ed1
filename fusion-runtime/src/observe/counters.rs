//! How often things happened.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Something that is counted. Nothing is dropped, refused or repeated without one of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Count {
            $($(#[$doc])* $name,)*
        }

        impl Count {
            /// All of them.
            pub const ALL: &'static [Count] = &[$(Count::$name),*];

            /// The name for a metrics system, in snake case.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Count::$name => $text,)*
                }
            }
        }
    };
}

counts! {
    /// Records taken from Kafka.
    Records = "records",
    /// Records that Kafka delivered again although they were in work, or finished before a restart; they are skipped.
    Redelivered = "redelivered",
    /// Runs of a handler that ended well.
    Succeeded = "succeeded",
    /// Records that were given up: dead letter, and an error reply if somebody waits.
    Failed = "failed",
    /// Further runs after a failure.
    Retries = "retries",
    /// Handlers that panicked, and windows whose gathering did.
    Panics = "panics",
    /// Records whose value could not be read, without those that windows [skip](crate::window::Skipped).
    Undecodable = "undecodable",
    /// Runs that were given up at `within`.
    TimedOut = "timed_out",
    /// Requests dropped because nobody waits for their answer any more.
    Expired = "expired",
    /// Requests refused because they had come through too many services.
    TooManyHops = "too_many_hops",
    /// Requests refused because of the topic their reply was to go to.
    ReplyTopicRefused = "reply_topic_refused",
    /// Headers that could not be read and were ignored.
    HeaderFaults = "header_faults",
    /// Replies sent, errors included.
    Replies = "replies",
    /// Replies that could not be delivered.
    RepliesLost = "replies_lost",
    /// Records written to a dead-letter topic, without those that windows [skip](crate::window::Skipped).
    DeadLetters = "dead_letters",
    /// Values sent to a `to` topic.
    Sent = "sent",
    /// Requests asked.
    Requests = "requests",
    /// Replies nobody waits for: late, repeated or foreign.
    UnknownReplies = "unknown_replies",
    /// Replies without a correlation id that could be read.
    UnreadableReplies = "unreadable_replies",
    /// Times the place where replies are read from was gone from the log, and replies may be with it; requests that
    /// wait for one of those run out of their time.
    ReplyGaps = "reply_gaps",
    /// Times a partition went on with the oldest record of its log, because those before had been deleted before they were
    /// read.
    Gaps = "gaps",
    /// Commits that failed and were repeated.
    CommitFailures = "commit_failures",
    /// Commits whose metadata did not count: another program's, damaged, or of another offset.
    MetadataRefused = "metadata_refused",
    /// Transactions that were committed.
    TransactionsCommitted = "transactions_committed",
    /// Transactions that were aborted and, as far as their partitions are still ours, repeated.
    TransactionsAborted = "transactions_aborted",
    /// Times it was not known whether a transaction had been committed, and the committed offsets told.
    TransactionsInDoubt = "transactions_in_doubt",
    /// Batches given up because the partitions they speak for went to another member.
    BatchesLost = "batches_lost",
    /// Times what a member wrote about a window's time was stamped more than a third of `idle` before what another had
    /// written: their clocks are too far apart.
    ClocksApart = "clocks_apart",
    /// Times a partition was left unread for a while because too much of it was waiting.
    Pauses = "pauses",
    /// Partitions assigned to this app.
    Assigned = "assigned",
    /// Partitions taken away from this app.
    Revoked = "revoked",
    /// Times a handler was seen to block its thread.
    Blocked = "blocked",
    /// Partitions that were given back while a handler held up its thread: it cannot be ended, so the next owner may run
    /// the same record beside it.
    Overlaps = "overlaps",
    /// Outcomes that were dropped because their partition had been given back before: no reply, no dead letter, no
    /// commit. The next owner handles the record again.
    Fenced = "fenced",
}

/// All counters of an app or a pipeline.
#[derive(Debug)]
pub(crate) struct Counters([AtomicU64; Count::ALL.len()]);

impl Counters {
    pub(crate) fn new() -> Self {
        Counters(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    pub(crate) fn add(&self, count: Count, times: u64) {
        self.0[count as usize].fetch_add(times, Relaxed);
    }

    pub(crate) fn one(&self, count: Count) {
        self.add(count, 1);
    }

    pub(crate) fn read(&self) -> Metrics {
        Metrics(Count::ALL.iter().map(|&count| (count, self.0[count as usize].load(Relaxed))).collect())
    }
}

/// The counters at one moment.
///
/// ```
/// use fusion::{Count, Metrics};
///
/// /// In the text format of Prometheus.
/// fn exported(metrics: &Metrics) -> String {
///     metrics.iter().map(|(count, times)| format!("fusion_{}_total {times}\n", count.as_str())).collect()
/// }
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// assert_eq!(Count::DeadLetters.as_str(), "dead_letters");
/// # let pipeline = fusion::Pipeline::connect("caller", fusion::Config::embedded()?).await?;
/// assert!(exported(&pipeline.metrics()).contains("fusion_requests_total 0"));
/// # pipeline.close().await
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics(BTreeMap<Count, u64>);

impl Metrics {
    /// One counter.
    pub fn get(&self, count: Count) -> u64 {
        self.0.get(&count).copied().unwrap_or(0)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Count, u64)> {
        self.0.iter().map(|(&count, &times)| (count, times))
    }
}
