//! From where the log is read again: far enough back to know what each source partition claimed.

use std::collections::{HashMap, VecDeque};

/// The control records that are still needed to tell, at the lowest offset that is still needed, which claims held.
///
/// A claim is a lease: it holds for `idle` after its stamp. So the records stamped within `idle` before that offset are
/// enough; without an end to leases (`None`), the latest one of each source partition is.
#[derive(Debug)]
pub(crate) struct Controls {
    idle: Option<i64>,
    /// In the order of the log, with the newest stamp up to each.
    seen: VecDeque<Seen>,
    newest: i64,
}

#[derive(Debug)]
struct Seen {
    offset: i64,
    stamp: i64,
    newest: i64,
    /// The source partitions that it speaks for, as whoever keeps them numbers them.
    sources: Vec<u32>,
}

impl Controls {
    pub(crate) fn new(idle: Option<i64>) -> Self {
        Controls { idle, seen: VecDeque::new(), newest: i64::MIN }
    }

    /// Takes in the control record at `offset`.
    pub(crate) fn see(&mut self, offset: i64, stamp: i64, sources: impl IntoIterator<Item = u32>) {
        self.newest = self.newest.max(stamp);
        let sources = if self.idle.is_none() { sources.into_iter().collect() } else { Vec::new() };
        self.seen.push_back(Seen { offset, stamp, newest: self.newest, sources });
    }

    /// The offset to begin at so that the records from `needed` on are decided as they were. `needed` only ever grows,
    /// and what it makes superfluous is forgotten.
    pub(crate) fn begin(&mut self, needed: i64) -> i64 {
        match self.idle {
            Some(idle) => self.leases(needed, idle),
            None => self.latest(needed),
        }
    }

    fn leases(&mut self, needed: i64, idle: i64) -> i64 {
        let before = self.seen.partition_point(|seen| seen.offset < needed);
        let Some(last) = before.checked_sub(1).and_then(|last| self.seen.get(last)) else { return needed };
        let oldest = last.newest.saturating_sub(idle);
        // Clocks of several writers need not agree, so an older stamp may stand behind a newer one.
        let first = self.seen.iter().take(before).position(|seen| seen.stamp >= oldest).unwrap_or(before);
        self.seen.drain(..first);
        self.seen.front().map_or(needed, |seen| seen.offset.min(needed))
    }

    fn latest(&mut self, needed: i64) -> i64 {
        let before = self.seen.partition_point(|seen| seen.offset < needed);
        let mut latest: HashMap<u32, i64> = HashMap::new();
        for seen in self.seen.iter().take(before) {
            latest.extend(seen.sources.iter().map(|&source| (source, seen.offset)));
        }
        let begin = latest.values().copied().min().unwrap_or(needed);
        let superfluous = self.seen.partition_point(|seen| seen.offset < begin);
        self.seen.drain(..superfluous);
        begin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls(idle: Option<i64>, seen: &[(i64, i64, u32)]) -> Controls {
        let mut controls = Controls::new(idle);
        seen.iter().for_each(|&(offset, stamp, source)| controls.see(offset, stamp, [source]));
        controls
    }

    #[test]
    fn without_control_records_it_is_what_is_needed() {
        assert_eq!(controls(Some(10), &[]).begin(7), 7);
        assert_eq!(controls(None, &[]).begin(7), 7);
        assert_eq!(controls(Some(10), &[(9, 100, 0)]).begin(7), 7, "a later one says nothing");
    }

    #[test]
    fn as_far_back_as_a_lease_lasts() {
        let seen = [(0, 100, 0), (3, 104, 1), (6, 108, 0), (9, 115, 1), (12, 130, 0)];
        assert_eq!(controls(Some(10), &seen).begin(8), 0);
        assert_eq!(controls(Some(10), &seen).begin(10), 6);
        assert_eq!(controls(Some(10), &seen).begin(13), 12);
    }

    #[test]
    fn a_clock_that_is_behind_does_not_hide_what_still_holds() {
        let seen = [(0, 95, 0), (1, 104, 1), (2, 99, 0), (3, 109, 1)];
        assert_eq!(controls(Some(10), &seen).begin(4), 1);
    }

    #[test]
    fn without_an_end_to_leases_the_latest_of_each() {
        let seen = [(0, 100, 0), (3, 104, 1), (6, 108, 0), (9, 115, 0)];
        assert_eq!(controls(None, &seen).begin(10), 3);
        assert_eq!(controls(None, &seen).begin(3), 0);
    }

    #[test]
    fn what_is_superfluous_is_forgotten() {
        let mut controls = Controls::new(Some(10));
        for offset in 0..1_000 {
            controls.see(offset, offset, [0]);
            controls.begin(offset);
        }
        assert!(controls.seen.len() <= 12, "{}", controls.seen.len());
        let mut controls = Controls::new(None);
        for offset in 0..1_000 {
            controls.see(offset, offset, [0]);
            controls.begin(offset);
        }
        assert!(controls.seen.len() <= 3, "{}", controls.seen.len());
    }
}
