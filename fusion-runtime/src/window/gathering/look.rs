//! What is told of the open windows of a partition.

use crate::window::{HeldBack, Kind, WindowLog, metrics::WindowPartition};

use super::typed::Gathering;

/// How often all sessions are looked at, in milliseconds.
const ALL: i64 = 10_000;

/// Looks at the windows of one partition.
#[derive(Debug, Default)]
pub(in crate::window) struct Look {
    oldest: Option<i64>,
    again: i64,
}

impl Look {
    /// As they are now.
    pub(in crate::window) fn at(
        &mut self,
        gathering: &dyn Gathering,
        kind: Kind,
        (partition, now): (i32, i64),
        held_back_by: Option<HeldBack>,
        logs: Vec<WindowLog>,
    ) -> WindowPartition {
        let open = gathering.open_keys();
        let all = matches!(kind, Kind::Session { .. });
        if open == 0 {
            (self.oldest, self.again) = (None, 0);
        } else if !all || now >= self.again {
            (self.oldest, self.again) = (gathering.oldest_start(), now + ALL);
        }
        let time = gathering.time();
        let age = |(time, start): (i64, i64)| time.saturating_sub(start);
        WindowPartition {
            partition,
            time,
            // Whoever reads it says when.
            behind: None,
            held_back_by,
            open,
            open_bytes: gathering.open_bytes(),
            oldest: time.zip(self.oldest).map(age),
            logs,
        }
    }
}
