//! How far one partition has come within one assignment.
//!
//! Records are seen in the order of their offsets and finish in any order. What may be committed is the lowest
//! unfinished offset: everything below it is done, whatever happens next. What finished beyond it is not lost
//! either, it travels in the commit's metadata, so that the next owner does not run it again.
//!
//! Only unfinished records are kept. A record that completes at once leaves nothing behind, and offsets that the
//! log skips (transaction markers, aborted and compacted records) need no entry: nothing will ever arrive there.

use std::collections::VecDeque;
use std::ops::Range;

/// Below this many finished entries a compaction is not worth its pass (tests want to see many of them).
const COMPACT_FROM: usize = if cfg!(test) { 4 } else { 32 };

/// The progress of one partition in one assignment epoch; a new epoch starts with a new one.
#[derive(Debug)]
pub(crate) struct Progress {
    /// One past the last offset seen, or where the assignment started.
    next: i64,
    /// Seen and unfinished, ascending. The first is always unfinished; finished ones behind it stay as marks until
    /// they come first or are compacted away.
    open: VecDeque<Entry>,
    /// How many entries of `open` are marks.
    marks: usize,
    /// Finished by an earlier owner, and not passed again yet; ascending.
    inherited: VecDeque<Range<i64>>,
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    finished: bool,
    /// A finished record between this entry and the next one (or the end) has no entry of its own any more.
    followed: bool,
}

/// What to commit: both halves belong to the same state. Read apart, a record that finishes in between is in
/// neither of them, and is lost (parallel-consumer #826, #894).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The offset to commit.
    pub(crate) committable: i64,
    /// Finished offsets at or above it, as ascending, disjoint, half-open runs.
    pub(crate) finished_beyond: Vec<Range<i64>>,
}

/// A record was finished that is not unfinished: it was never seen in this epoch, or finished before.
///
/// Progress is unchanged. It is a mistake in the caller, to be reported, and no reason to stop a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} was finished, but is not among the unfinished ones")]
pub(crate) struct NotUnfinished {
    /// The offset in question.
    pub(crate) offset: i64,
}

impl Progress {
    /// Starts at the offset that was given to assign.
    pub(crate) fn new(start: i64) -> Self {
        Self { next: start, open: VecDeque::new(), marks: 0, inherited: VecDeque::new() }
    }

    /// Starts at a committed offset, with what its metadata says was finished beyond it: [`Progress::seen`] answers
    /// `false` for those. Empty, overlapping and unordered runs are put right.
    pub(crate) fn resume(start: i64, finished: impl IntoIterator<Item = Range<i64>>) -> Self {
        let mut runs: Vec<_> = finished.into_iter().filter(|run| run.start < run.end).collect();
        runs.sort_by_key(|run| run.start);
        let mut inherited: VecDeque<Range<i64>> = VecDeque::new();
        for run in runs {
            join(&mut inherited, run);
        }
        Self { inherited, ..Self::new(start) }
    }

    /// Notes a delivered record. `false`: skip it, for it was seen in this epoch, lies below its start, or was
    /// finished by an earlier owner.
    #[inline]
    pub(crate) fn seen(&mut self, offset: i64) -> bool {
        if offset < self.next {
            return false;
        }
        self.next = offset.saturating_add(1);
        if !self.inherited.is_empty() && self.take_inherited(offset) {
            self.follow_last();
            return false;
        }
        self.open.push_back(Entry { offset, finished: false, followed: false });
        true
    }

    /// Notes that a record's outcome is acknowledged.
    pub(crate) fn finish(&mut self, offset: i64) -> Result<(), NotUnfinished> {
        let unfinished = match self.open.binary_search_by_key(&offset, |entry| entry.offset) {
            Ok(index) => self.open.get_mut(index).filter(|entry| !entry.finished),
            Err(_) => None,
        };
        unfinished.ok_or(NotUnfinished { offset })?.finished = true;
        self.marks += 1;
        self.trim();
        Ok(())
    }

    /// [`Progress::finish`] for the record that was seen last, when it completed at once: no search, and no memory
    /// beyond a first small allocation. Any other offset takes the ordinary way.
    #[inline]
    pub(crate) fn finish_in_place(&mut self, offset: i64) -> Result<(), NotUnfinished> {
        match self.open.back() {
            Some(last) if last.offset == offset && !last.finished => {
                self.open.pop_back();
                self.follow_last();
                Ok(())
            }
            _ => self.finish(offset),
        }
    }

    /// The offset that may be committed: the lowest unfinished one, else one past the last seen, else the start.
    /// It never goes back.
    #[inline]
    pub(crate) fn committable(&self) -> i64 {
        self.open.front().map_or(self.next, |lowest| lowest.offset)
    }

    /// How many records are seen and not finished.
    #[inline]
    pub(crate) fn unfinished(&self) -> usize {
        self.open.len() - self.marks
    }

    /// What is finished at or above [`Progress::committable`], as ascending, disjoint runs. A run may cover offsets
    /// that the log skips, but has a finished record in it.
    pub(crate) fn finished_beyond(&self) -> Vec<Range<i64>> {
        let mut runs = VecDeque::new();
        let mut lowest_after: Option<i64> = None;
        let mut any = false;
        for entry in &self.open {
            if entry.finished {
                any = true;
                continue;
            }
            if let (Some(start), true) = (lowest_after, any) {
                join(&mut runs, start..entry.offset);
            }
            lowest_after = Some(entry.offset.saturating_add(1));
            any = entry.followed;
        }
        if let (Some(start), true) = (lowest_after, any) {
            join(&mut runs, start..self.next);
        }
        for run in &self.inherited {
            if run.end > self.next {
                join(&mut runs, run.start.max(self.next)..run.end);
            }
        }
        runs.into()
    }

    /// [`Progress::committable`] and [`Progress::finished_beyond`] of one moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { committable: self.committable(), finished_beyond: self.finished_beyond() }
    }

    fn take_inherited(&mut self, offset: i64) -> bool {
        while self.inherited.front().is_some_and(|run| run.end <= offset) {
            self.inherited.pop_front();
        }
        self.inherited.front().is_some_and(|run| run.contains(&offset))
    }

    #[inline]
    fn follow_last(&mut self) {
        if let Some(last) = self.open.back_mut() {
            last.followed = true;
        }
    }

    /// Takes the marks off the front, and out of the rest once they are the larger part: an old record that stays
    /// unfinished must not keep the memory of all that finished after it.
    fn trim(&mut self) {
        while self.open.front().is_some_and(|entry| entry.finished) {
            self.open.pop_front();
            self.marks -= 1;
        }
        if self.marks >= COMPACT_FROM && self.marks > self.open.len() / 2 {
            let mut kept: VecDeque<Entry> = VecDeque::with_capacity(self.unfinished());
            for entry in self.open.drain(..) {
                match kept.back_mut() {
                    Some(last) if entry.finished => last.followed = true,
                    _ => kept.push_back(entry),
                }
            }
            self.open = kept;
            self.marks = 0;
        }
    }
}

/// Adds a run that does not start before the last one does.
fn join(runs: &mut VecDeque<Range<i64>>, run: Range<i64>) {
    match runs.back_mut() {
        Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
        _ => runs.push_back(run),
    }
}

#[cfg(test)]
mod tests;
