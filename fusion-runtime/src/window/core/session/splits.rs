//! What is remembered of sessions that outgrew `longest`, and what a cut can leave out of it.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    super::{
        CutLimit, Needed, Split,
        need::{Needs, earliest},
    },
    Session,
};

#[derive(Default)]
pub(super) struct Splits(BTreeMap<Split, Remembered>);

struct Remembered {
    /// How many sessions do.
    by: usize,
    /// From where it follows by itself; `None` of what a cut had to remember.
    origin: Option<Needed>,
}

impl Splits {
    /// One more session remembers it.
    pub(super) fn add(&mut self, split: Split, origin: Option<Needed>) {
        self.0.entry(split).or_insert(Remembered { by: 0, origin }).by += 1;
    }

    pub(super) fn release(&mut self, split: Split) {
        if let Some(remembered) = self.0.get_mut(&split) {
            remembered.by -= 1;
            if remembered.by == 0 {
                self.0.remove(&split);
            }
        }
    }

    /// From where on a session follows from the records alone, if the log still has them.
    pub(super) fn origin<A>(&self, session: &Session<A>, needs: &Needs) -> Option<Needed> {
        session.splits.iter().try_fold(needs.get(session.needed)?, |origin, split| {
            Some(earliest(origin, self.0.get(split)?.origin?))
        })
    }

    /// What a cut remembers, and from where on the rest follows.
    pub(super) fn cut(&self, limit: CutLimit) -> (Vec<Split>, Option<Needed>) {
        let origins = self.0.values().filter_map(|remembered| remembered.origin);
        let over = self.0.len().saturating_sub(limit.splits);
        let mut origins =
            origins.filter(|origin| over > 0 && origin.offset >= limit.from).collect::<Vec<_>>();
        origins.sort_unstable_by_key(|origin| Reverse(origin.offset));
        origins.truncate(over);
        let Some(&begin) = origins.last() else { return (self.0.keys().copied().collect(), None) };
        let follows = |origin: Option<Needed>| origin.is_some_and(|origin| origin.offset >= begin.offset);
        let kept = self.0.iter().filter(|(_, remembered)| !follows(remembered.origin));
        (kept.map(|(split, _)| *split).collect(), Some(begin))
    }
}
