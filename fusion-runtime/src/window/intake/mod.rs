//! Reading the sources of re-keyed windows: each record goes to the partition of its key in the window's log, and with
//! it goes what the partition it came from says about time.
//!
//! What depends on clocks or on the order of arrival is decided here and written down, so that the window itself is a
//! function of its log: which records are skipped, which are too far ahead to move time, which partition is silent.

mod clock;
mod pace;
mod worker;

use std::sync::Arc;

use crate::{
    consume::{Service, Serving, Taken},
    produce::transactions::{CommitMetadata, Transactions},
};

use super::{ends::Ends, typed::Declared};
pub(crate) use clock::{Newest, Question, Silence};
pub(crate) use pace::Pace;
use worker::Worker;

/// A window that gathers a topic.
pub(crate) struct Target {
    pub(crate) window: Arc<Declared>,
    /// The topic's place among the window's.
    pub(crate) topic: usize,
}

/// Serves one topic that windows gather, for all of them: they share its offsets.
pub(crate) struct Intake {
    shared: Arc<Shared>,
}

/// Why windows cannot gather a topic together; `None` if they can.
pub(crate) fn too_many(topic: &str, windows: &[&str], limit: usize) -> Option<String> {
    let size = |windows: &[&str]| longest(windows).encode().len() + ADDED;
    let most = (0..=windows.len()).rev().find(|most| size(&windows[..*most]) <= limit)?;
    let count = windows.len();
    (most < count).then(|| {
        format!(
            "{count} windows gather the topic `{topic}`: what has to be remembered of each takes {} bytes beside a committed \
             offset, and {limit} are the most, enough for {most} windows. Put the others into an app of their own",
            size(windows)
        )
    })
}

/// The most that the newest times of these windows can take.
fn longest(windows: &[&str]) -> CommitMetadata {
    let mut metadata = CommitMetadata::new(i64::MAX);
    for window in windows {
        for kind in ['n', 'a'] {
            metadata.set_number(&format!("{kind}{:08x}", super::short_hash(window)), i64::MAX);
        }
    }
    metadata
}

/// What transactions add to the text beside an offset, in bytes.
const ADDED: usize = 48;

struct Shared {
    topic: String,
    targets: Vec<Target>,
    transactions: Transactions,
    ends: Ends,
}

impl Intake {
    pub(crate) fn new(topic: &str, targets: Vec<Target>, transactions: Transactions, ends: Ends) -> Self {
        Intake { shared: Arc::new(Shared { topic: topic.to_owned(), targets, transactions, ends }) }
    }
}

impl Service for Intake {
    fn name(&self) -> &str {
        // Where there are several, they read together.
        self.shared.targets.first().map_or("", |target| target.window.spec.name)
    }

    fn topic(&self) -> &str {
        &self.shared.topic
    }

    fn commits(&self) -> bool {
        true
    }

    fn sees_ends(&self) -> bool {
        true
    }

    fn serve(&self, partition: Taken) -> Serving {
        Box::pin(Worker::new(self.shared.clone(), partition).run())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::produce::transactions::MOST_BYTES;

    #[test]
    fn what_windows_of_one_topic_remember_fits_beside_an_offset() {
        let names: Vec<String> = (0..70).map(|number| format!("window{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(too_many("brake", &names[..40], MOST_BYTES), None);
        let reason = too_many("brake", &names, MOST_BYTES).unwrap();
        let most =
            (1..70).rev().find(|most| too_many("brake", &names[..*most], MOST_BYTES).is_none()).unwrap();
        assert!(most >= 40 && reason.starts_with("70 windows gather the topic `brake`"), "{reason}");
        assert!(reason.contains(&format!("enough for {most} windows")), "{reason}");
    }
}
