//! The app-wide settings and their defaults.

use std::time::Duration;

/// What an app goes by, apart from librdkafka's own properties. [`Config`](super::Config) has a method of the same
/// name for each field, and [`Config::settings`](super::Config::settings) reads them.
///
/// ```
/// use fusion::{Config, Settings};
/// use std::time::Duration;
///
/// let config = Config::new("kafka-1:9092").hops(4).stop_limit(Duration::from_secs(5));
/// assert_eq!(config.settings().hops, 4);
/// assert_eq!(config.settings().in_flight, Settings::default().in_flight);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How many services may stand between the first request and this one. A request that has come further is
    /// refused: services that wait for each other in a circle end here. Default 16.
    pub hops: u32,
    /// How long a stop may take: what runs is finished and acknowledged, then everything ends. Default 30 s.
    pub stop_limit: Duration,
    /// How long what runs may hold up a partition that goes to another instance. It is dropped then, and handled again
    /// there; the whole group waits meanwhile. Default 10 s.
    pub revoke_limit: Duration,
    /// How long the brokers may take to answer at the start. Default 10 s.
    pub connect_limit: Duration,
    /// How many records may be waiting or running in the app at once; beyond it nothing more is taken. Half of them is
    /// divided among the partitions, the other half is for those that need more. Default 10,000.
    pub in_flight: usize,
    /// The most bytes that key and value of a record may have together when it is sent. Together with
    /// [`largest_headers`](Settings::largest_headers) and the framing it has to fit into the topics'
    /// `max.message.bytes`. Default 1 MiB (what brokers take) minus 48 KiB of room.
    pub largest_value: usize,
    /// The most bytes that all header names and values of a record may have together. Default 32 KiB.
    pub largest_headers: usize,
    /// Memory for records that were fetched and not yet taken, per consumer, in bytes; each partition of the topics has
    /// an equal part of it, rounded up to KiB. An app may have taken as much again that no handler has come to, because
    /// one holds up its thread. Default 64 MiB.
    pub fetch_buffer: usize,
    /// Memory for records that were sent and not yet confirmed, per producer, in bytes; rounded up to KiB.
    /// Default 64 MiB.
    pub send_buffer: usize,
    /// Whether missing topics are created. Default: they are, with the broker's own numbers.
    pub topics: TopicPolicy,
    /// What `to = ..` promises. Default at least once.
    pub delivery: Delivery,
    /// How long to wait before a failed run is tried again.
    pub backoff: Backoff,
    /// How a group divides its partitions; `None`: `Consumer` on the embedded broker, `Classic` elsewhere.
    pub group_protocol: Option<GroupProtocol>,
    /// Whether records that no window can use (bytes that cannot be read, without a key or a time) are kept in their
    /// topic's dead letters. They are counted in any case. Default: they are not.
    pub keep_skipped: bool,
    /// Where a group begins in a topic for which it has never committed. Default at the earliest record.
    pub start: Start,
    /// What becomes of a group whose next record was deleted before it was read. Default: the app ends.
    pub on_gap: OnGap,
    /// How long an app with `copartitioned` windows may be away: the sources must keep records for as long as a window is
    /// open, and for this. Checked at the start, on a real broker. Default 24 hours.
    pub downtime: Duration,
    /// How often transactions are committed: results are seen about this much later, and each costs the brokers a few
    /// milliseconds. Default 100 ms.
    pub commit_interval: Duration,
    /// What tells this instance of the app from the others that run at the same time, as its restart will be told again:
    /// a pod's ordinal, say. It names the app's transactions; one who starts under it ends at once what the last one left
    /// open, instead of after ten seconds. Default: `group.instance.id`, or else the host's name and the first number that
    /// no other process there holds.
    pub slot: Option<String>,
}

/// Room for key, lengths and batch header around what the limits count, in bytes.
pub(super) const FRAMING: usize = 16 * 1024;

const MIB: usize = 1024 * 1024;

impl Default for Settings {
    fn default() -> Settings {
        let largest_headers = 32 * 1024;
        Settings {
            hops: 16,
            stop_limit: Duration::from_secs(30),
            revoke_limit: Duration::from_secs(10),
            connect_limit: Duration::from_secs(10),
            in_flight: 10_000,
            largest_value: MIB - largest_headers - FRAMING,
            largest_headers,
            fetch_buffer: 64 * MIB,
            send_buffer: 64 * MIB,
            topics: TopicPolicy::default(),
            delivery: Delivery::AtLeastOnce,
            backoff: Backoff::default(),
            group_protocol: None,
            keep_skipped: false,
            on_gap: OnGap::default(),
            downtime: Duration::from_secs(24 * 60 * 60),
            start: Start::Earliest,
            commit_interval: Duration::from_millis(100),
            slot: None,
        }
    }
}

/// What happens to topics that are needed and do not exist.
///
/// ```
/// use fusion::{Config, TopicPolicy};
///
/// let config = Config::new("kafka-1:9092")
///     .topics(TopicPolicy::Create { partitions: Some(12), replication: Some(3) });
/// # config.check().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicPolicy {
    /// They are created.
    Create {
        /// How many partitions, where nothing else is said; `None`: as many as the broker likes.
        partitions: Option<i32>,
        /// How many copies; `None`: as many as the broker likes.
        replication: Option<i32>,
    },
    /// The app does not start, and the error names them all.
    Require,
}

impl Default for TopicPolicy {
    fn default() -> TopicPolicy {
        TopicPolicy::Create { partitions: None, replication: None }
    }
}

/// What is promised about the records that `to = ..` sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Each is written once or, after a failure, more often.
    AtLeastOnce,
    /// Each is written once, in one transaction with the progress of its source. **Not available yet**: a
    /// configuration with it is an error.
    ExactlyOnce,
}

/// How the wait between two tries grows: `first`, then `factor` times as long each time, up to `most`, and each
/// shortened by chance by up to half, so that what failed together is not repeated together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Before the second try. Default 100 ms.
    pub first: Duration,
    /// At least 1. Default 2.
    pub factor: f32,
    /// Default 10 s.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_millis(100), factor: 2.0, most: Duration::from_secs(10) }
    }
}

/// How a consumer group divides its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The members do, every broker knows how.
    Classic,
    /// The broker does (KIP-848, Kafka 4.0 and later).
    Consumer,
}

/// What becomes of a group that is to go on where its topic's log has nothing any more, because records were deleted
/// before they were read. Deployed with [`Partial`](OnGap::Partial), an app goes on without them; windows that needed them
/// are sent with what is left.
///
/// ```
/// use fusion::{Config, OnGap};
///
/// let config = Config::new("kafka-1:9092").on_gap(OnGap::Partial);
/// # config.check().unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnGap {
    /// The app ends with [`Error::Gap`](crate::Error::Gap), so that nobody misses records without knowing.
    #[default]
    Fail,
    /// A partition goes on with the oldest record that its log has, when it is assigned and when it is overtaken while it is
    /// read. Each time is counted ([`Count::Gaps`](crate::observe::Count::Gaps)) and warned of. An app whose place lies
    /// beyond the log's end ends all the same: the topic was created anew, or has lost what was read.
    Partial,
}

/// Where a group begins that has never committed for a topic. A partition that is added later is read from its beginning
/// either way: its first records may be older than any member's knowledge of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record there is.
    Earliest,
    /// With the first record after the start.
    Latest,
}
