//! Sessions: records of a key belong together while neighbours are at most a gap apart.
//!
//! A session that fired because of `longest` stays as what it was, from first to last, until it would have closed: older
//! records inside it are late. Where it ended decides what later sessions of its key look like, and a replay that begins
//! in the middle of it cannot know. So each session that has a record near a fired one remembers that as a [`Split`],
//! a cut keeps those, and [`Sessions::record`] puts the fired session back before that record is replayed.
//!
//! A cut has no room for many of them. A session also follows from the records alone, if the replay begins with the
//! first record of all the sessions that it depends on, its *origin*. So the cut leaves out those with the latest origins,
//! and needs the log from there on.

mod joined;
mod splits;

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    hash::Hash,
};

use super::{
    Aggregate, CutLimit, Entry, Event, Kind, LateReason, Needed, Reason, Rules, Span, Split, Verdict,
    need::{Needs, earliest},
    slots::Slots,
    table::Turn,
};
use joined::Joined;
use splits::Splits;

pub(super) struct Sessions<K, A> {
    keys: Slots<K, Vec<Session<A>>>,
    /// When to look at a session again: its last record as it was when this was written, its id, its key's place. A
    /// session that grew is put back when its turn comes, so that a record costs nothing here.
    due: BinaryHeap<Reverse<(i64, u64, u32)>>,
    needs: Needs,
    splits: Splits,
    /// What a replay still has to put back.
    expected: BTreeSet<Split>,
    next_id: u64,
    open: usize,
    bytes: u64,
}

impl<K, A> Default for Sessions<K, A>
where
    K: Eq + Hash + Clone,
{
    fn default() -> Self {
        Sessions {
            keys: Slots::default(),
            due: BinaryHeap::new(),
            needs: Needs::default(),
            splits: Splits::default(),
            expected: BTreeSet::new(),
            next_id: 0,
            open: 0,
            bytes: 0,
        }
    }
}

struct Session<A> {
    id: u64,
    first: i64,
    last: i64,
    /// The offset from which it can be rebuilt.
    needed: i64,
    splits: Vec<Split>,
    /// `None` once it has fired.
    held: Option<A>,
    count: u64,
    bytes: u64,
}

impl<A> Session<A> {
    fn span(&self) -> Span {
        Span { start: self.first, end: self.last }
    }

    fn is_near(&self, moment: i64, gap: i64) -> bool {
        self.first.saturating_sub(gap) <= moment && moment <= self.last.saturating_add(gap)
    }
}

impl<K: Eq + Hash + Clone, A: Aggregate> Sessions<K, A> {
    /// What the cut remembers of sessions that had fired.
    pub(super) fn expect(&mut self, splits: &[Split]) {
        self.expected.extend(splits);
    }

    /// The first record of the session that is open for longest.
    pub(super) fn oldest(&self) -> Option<i64> {
        let sessions = self.keys.iter().flat_map(|(_, sessions)| sessions);
        sessions.filter(|session| session.held.is_some()).map(|session| session.first).min()
    }

    pub(super) fn record<O: FnMut(Event<K, A>)>(
        &mut self,
        entry: Entry<K, A::Item>,
        needed: Needed,
        turn: &mut Turn<'_, A, O>,
    ) -> Verdict {
        self.put_back(&entry.key, needed);
        let Kind::Session { gap, longest } = turn.rules.kind else { return Verdict::Taken };
        let moment = entry.at.time;
        let (mut joined, fired) = match self.sessions(&entry.key) {
            None => (Joined::alone(moment), None),
            Some(sessions) => {
                let inside = |session: &&Session<A>| {
                    session.held.is_none() && (session.first..=session.last).contains(&moment)
                };
                // Of those inside each other the outermost, which stays longest.
                let fired = sessions.iter().filter(inside).map(Session::span).min();
                (Joined::new(sessions, moment, gap), fired)
            }
        };
        if let Some(span) = fired {
            turn.late(entry.at, span, LateReason::AlreadyFired);
            return Verdict::Late(LateReason::AlreadyFired);
        }
        let outgrown = joined.shorten(longest);
        if turn.is_closed(joined.last) {
            turn.late(entry.at, Span { start: moment, end: moment }, LateReason::Closed);
            return Verdict::Late(LateReason::Closed);
        }
        let place = self.keys.find_or_add(&entry.key);
        if !outgrown.is_empty() {
            let stayed = joined.parts.iter().map(|part| part.id);
            let origin = self.common_origin(place, outgrown.iter().copied().chain(stayed));
            for id in outgrown {
                self.outgrow(place, id, needed, origin, turn);
            }
        }
        self.join(place, &joined, entry, needed, gap, turn);
        Verdict::Taken
    }

    /// Makes one session of the record and those that it joins.
    fn join<O: FnMut(Event<K, A>)>(
        &mut self,
        place: u32,
        joined: &Joined,
        entry: Entry<K, A::Item>,
        needed: Needed,
        gap: i64,
        turn: &mut Turn<'_, A, O>,
    ) {
        let Some((key, sessions)) = self.keys.get_mut(place) else { return };
        let Entry { offset, item, at, bytes, .. } = entry;
        let near = |session: &&Session<A>| session.held.is_none() && session.is_near(at.time, gap);
        let fired = sessions.iter().filter(near);
        let splits = fired
            .map(|fired| (fired.first, fired.last, self.splits.origin(fired, &self.needs)))
            .collect::<Vec<_>>();
        let mut parts = Vec::with_capacity(joined.parts.len());
        for part in &joined.parts {
            if let Some(place) = sessions.iter().position(|session| session.id == part.id) {
                parts.push(sessions.swap_remove(place));
            }
        }
        // What came first gathers on.
        parts.sort_unstable_by_key(|session| session.needed);
        let mut parts = parts.into_iter();
        let mut one = parts.next().unwrap_or_else(|| {
            self.needs.add(needed);
            self.due.push(Reverse((joined.last, self.next_id, place)));
            self.next_id += 1;
            self.open += 1;
            Session {
                id: self.next_id - 1,
                first: joined.first,
                last: joined.last,
                needed: offset,
                splits: Vec::new(),
                held: Some(A::default()),
                count: 0,
                bytes: 0,
            }
        });
        for other in parts {
            self.open -= 1;
            self.needs.remove(other.needed);
            one.count += other.count;
            one.bytes += other.bytes;
            for split in other.splits {
                if one.splits.contains(&split) {
                    self.splits.release(split);
                } else {
                    one.splits.push(split);
                }
            }
            if let (Some(held), Some(other)) = (&mut one.held, other.held) {
                (turn.rules.ways.merge)(held, other);
            }
        }
        for (first, last, origin) in splits {
            if !one.splits.iter().any(|split| (split.first, split.last) == (first, last)) {
                let split = Split { offset, first, last };
                one.splits.push(split);
                self.splits.add(split, origin);
            }
        }
        (one.first, one.last) = (joined.first, joined.last);
        one.count += 1;
        one.bytes += bytes;
        self.bytes += bytes;
        if let Some(held) = &mut one.held {
            held.add(item, &at);
            if turn.rules.updates
                && let Some(copy) = (turn.rules.ways.copy)(held)
            {
                turn.fire(key.clone(), one.span(), Reason::Update, one.count, copy);
            }
        }
        sessions.push(one);
    }

    /// From where on all of these sessions follow from the records alone. Whether one of them outgrew `longest` with a
    /// record depends on where the others were.
    fn common_origin(&self, place: u32, ids: impl Iterator<Item = u64>) -> Option<Needed> {
        let (_, sessions) = self.keys.get(place)?;
        let mut common: Option<Needed> = None;
        for id in ids {
            let session = sessions.iter().find(|session| session.id == id)?;
            let origin = self.splits.origin(session, &self.needs)?;
            common = Some(common.map_or(origin, |common| earliest(common, origin)));
        }
        common
    }

    /// Fires a session because a record would make it too long. From now on all that is known of it is where it was, so
    /// none of its own records are needed any more.
    fn outgrow<O: FnMut(Event<K, A>)>(
        &mut self,
        place: u32,
        id: u64,
        needed: Needed,
        origin: Option<Needed>,
        turn: &mut Turn<'_, A, O>,
    ) {
        let Some((key, sessions)) = self.keys.get_mut(place) else { return };
        let Some(session) = sessions.iter_mut().find(|session| session.id == id) else { return };
        if let Some(held) = session.held.take()
            && !turn.rules.updates
        {
            turn.fire(key.clone(), session.span(), Reason::Longest, session.count, held);
        }
        self.bytes -= std::mem::take(&mut session.bytes);
        self.needs.remove(session.needed);
        self.needs.add(needed);
        session.needed = needed.offset;
        let split = Split { offset: needed.offset, first: session.first, last: session.last };
        for old in std::mem::replace(&mut session.splits, vec![split]) {
            self.splits.release(old);
        }
        self.splits.add(split, origin);
    }

    /// Puts back the sessions that had fired before this record, in the place of what a replay has made of them.
    fn put_back(&mut self, key: &K, needed: Needed) {
        let mut splits = Vec::new();
        while let Some(split) = self.expected.first().copied().filter(|split| split.offset <= needed.offset) {
            self.expected.remove(&split);
            if split.offset == needed.offset {
                splits.push(split);
            }
        }
        if splits.is_empty() {
            return;
        }
        let place = self.keys.find_or_add(key);
        let Some((_, sessions)) = self.keys.get_mut(place) else { return };
        // All of them first: one can lie inside another.
        let over = |session: &mut Session<A>| {
            splits.iter().any(|split| session.first <= split.last && split.first <= session.last)
        };
        let replaced = sessions.extract_if(.., over).collect::<Vec<_>>();
        for split in splits {
            sessions.push(Session {
                id: self.next_id,
                first: split.first,
                last: split.last,
                needed: split.offset,
                splits: vec![split],
                held: None,
                count: 0,
                bytes: 0,
            });
            self.due.push(Reverse((split.last, self.next_id, place)));
            self.next_id += 1;
            self.open += 1;
            self.needs.add(needed);
            self.splits.add(split, None);
        }
        for session in replaced {
            self.forget(&session);
        }
    }

    pub(super) fn fire<O: FnMut(Event<K, A>)>(&mut self, reason: Reason, turn: &mut Turn<'_, A, O>) {
        while let Some(Reverse((last, id, place))) = self.due.peek().copied() {
            if !turn.is_closed(last) {
                return;
            }
            self.due.pop();
            let Some((key, sessions)) = self.keys.get_mut(place) else { continue };
            let Some(found) = sessions.iter().position(|session| session.id == id) else { continue };
            if sessions[found].last > last {
                self.due.push(Reverse((sessions[found].last, id, place)));
                continue;
            }
            let mut session = sessions.swap_remove(found);
            let is_empty = sessions.is_empty();
            if let Some(held) = session.held.take()
                && !turn.rules.updates
            {
                turn.fire(key.clone(), session.span(), reason, session.count, held);
            }
            if is_empty {
                self.keys.remove(place);
            }
            self.forget(&session);
        }
    }

    fn sessions(&self, key: &K) -> Option<&Vec<Session<A>>> {
        self.keys.get(self.keys.find(key)?).map(|(_, sessions)| sessions)
    }

    fn forget(&mut self, session: &Session<A>) {
        self.open -= 1;
        self.bytes -= session.bytes;
        self.needs.remove(session.needed);
        for split in &session.splits {
            self.splits.release(*split);
        }
    }

    pub(super) fn needed(&self) -> Option<Needed> {
        self.needs.lowest()
    }

    /// What a cut remembers, and from where on the rest follows.
    pub(super) fn splits(&self, limit: CutLimit) -> (Vec<Split>, Option<Needed>) {
        self.splits.cut(limit)
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next_end(&self, _: &Rules<A>) -> Option<i64> {
        self.due.peek().map(|Reverse((last, ..))| *last)
    }

    pub(super) fn last_end(&self, _: &Rules<A>) -> Option<i64> {
        self.keys.iter().flat_map(|(_, sessions)| sessions).map(|session| session.last).max()
    }

    pub(super) fn visit(&self, _: &Rules<A>, see: &mut impl FnMut(&K, Span, u64, &A)) {
        for (key, sessions) in self.keys.iter() {
            for session in sessions {
                if let Some(held) = &session.held {
                    see(key, session.span(), session.count, held);
                }
            }
        }
    }
}
