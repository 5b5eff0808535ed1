//! What is seen of a window from outside.

use std::{collections::BTreeMap, time::Duration};

use super::{LateReason, Skipped};

/// One window of an app at one moment, as far as this instance reads it: [`Running::windows`](crate::app::Running::windows).
///
/// All times are milliseconds since 1970, all distances milliseconds. Partitions are told of once per batch, and counters
/// begin at 0 with the app.
///
/// ```
/// use fusion::{WindowMetrics, prelude::*};
///
/// /// In the text format of Prometheus.
/// fn exported(windows: &[WindowMetrics]) -> String {
///     let mut text = String::new();
///     for window in windows {
///         let name = window.name;
///         text += &format!("fusion_window_lag{{window=\"{name}\"}} {}\n", window.lag());
///         for partition in &window.partitions {
///             let behind = partition.behind.unwrap_or(0);
///             let labels = format!("window=\"{name}\",partition=\"{}\"", partition.partition);
///             text += &format!("fusion_window_behind_ms{{{labels}}} {behind}\n");
///         }
///         for topic in &window.topics {
///             for (reason, records) in &topic.late {
///                 let labels = format!("window=\"{name}\",topic=\"{}\",reason=\"{}\"", topic.topic, reason.as_str());
///                 text += &format!("fusion_window_late_total{{{labels}}} {records}\n");
///             }
///         }
///     }
///     text
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Trigger {
///     id: String,
/// }
///
/// #[reactor(window! < triggers: "brake" | "lidar" by id >, tumbling = 30s, grace = 2s)]
/// async fn gather(triggers: Vec<Trigger>) {
///     println!("{} triggers of {:?}", triggers.len(), triggers.first().map(|trigger| &trigger.id));
/// }
///
/// # #[tokio::main]
/// # async fn main() -> fusion::Result<()> {
/// let app = App::new("cars", Config::embedded()?).reactors(reactors![gather]).start().await?;
/// app.assigned().await;
/// let text = exported(&app.windows());
/// assert!(text.contains("fusion_window_late_total{window=\"gather\",topic=\"lidar\",reason=\"closed\"} 0"));
/// app.shutdown().await
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowMetrics {
    /// The reactor's name.
    pub name: &'static str,
    /// The partitions that this instance gathers, in order.
    pub partitions: Vec<WindowPartition>,
    /// The source topics, in the order of the declaration.
    pub topics: Vec<WindowTopic>,
}

impl WindowMetrics {
    /// How many offsets of the sources, and of the window's log where it has one, were not read yet, up to where leaders say
    /// that these end: as of a few seconds ago at most, also while nothing is read, unless a leader cannot be asked. What
    /// open windows hold back is not in it. It grows and shrinks a little while nothing arrives, since what is known of time
    /// is written into the log, too.
    pub fn lag(&self) -> i64 {
        let sources = self.topics.iter().map(|topic| topic.lag).sum::<i64>();
        sources + self.partitions.iter().flat_map(|one| &one.logs).map(WindowLog::lag).sum::<i64>()
    }
}

/// A partition of a window's log; where the sources are copartitioned, those of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowPartition {
    /// Its number.
    pub partition: i32,
    /// Where time is; `None` until it is known.
    pub time: Option<i64>,
    /// How far time is behind the clock; negative where records are ahead of it.
    pub behind: Option<i64>,
    /// The topic and partition that hold time back: one that its reader has not spoken of lately, or that has no record
    /// yet, or the slowest. `None` when all are idle.
    pub held_back_by: Option<(&'static str, i32)>,
    /// How many windows are open, each key's counted for itself.
    pub open: usize,
    /// About how much memory their records take, in bytes.
    pub open_bytes: u64,
    /// How far the start of the oldest open one is behind time. Sessions are looked at every ten seconds.
    pub oldest: Option<i64>,
    /// Where it stands in its log, or in each of its copartitioned sources.
    pub logs: Vec<WindowLog>,
}

/// How far a log has been read. After a restart a window reads again what was open, and decides it again without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowLog {
    /// The topic.
    pub topic: String,
    /// The committed offset, which is held back to what open windows still need.
    pub committed: i64,
    /// The offset of the record that comes next.
    pub next: i64,
    /// The offset up to which everything was decided by whoever had the partition before.
    pub decided: i64,
    /// The offset behind the last record that the log is known to have.
    pub end: i64,
}

impl WindowLog {
    /// How many offsets were not read yet.
    pub fn lag(&self) -> i64 {
        (self.end - self.next).max(0)
    }

    /// The same, with what open windows hold back: what the group's lag is to other programs.
    pub fn lag_held_back(&self) -> i64 {
        (self.end - self.committed).max(0)
    }

    /// How many offsets have to be read again before anything new is decided; 0 but for a while after a restart or a
    /// rebalance.
    pub fn to_replay(&self) -> i64 {
        (self.decided - self.next).max(0)
    }
}

/// What became of a source's records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowTopic {
    /// The topic.
    pub topic: &'static str,
    /// How many offsets of the partitions that this instance re-keys are not in the window's log yet; 0 where the sources
    /// are copartitioned.
    pub lag: i64,
    /// Records that no window saw, and those too far ahead to move time, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
    /// Windows that refused a record, by reason: one record may be counted for several.
    pub late: BTreeMap<LateReason, u64>,
    /// How late these were, behind time: how many up to each of [`LATENESS`](WindowTopic::LATENESS), not counted for a
    /// smaller one before, and last those beyond.
    pub lateness: [u64; WindowTopic::LATENESS.len() + 1],
}

impl WindowTopic {
    /// The bounds of `lateness`.
    pub const LATENESS: [Duration; 8] = [
        Duration::from_millis(100),
        Duration::from_secs(1),
        Duration::from_secs(10),
        Duration::from_secs(60),
        Duration::from_secs(10 * 60),
        Duration::from_secs(60 * 60),
        Duration::from_secs(6 * 60 * 60),
        Duration::from_secs(24 * 60 * 60),
    ];
}
