//! Sliding windows: one that ends at each record, and one that begins just behind each record that another follows.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    hash::Hash,
};

use super::{
    Aggregate, Entry, Event, LateReason, Needed, Place, Reason, Rules, Span, Verdict, need::Needs,
    slots::Slots, table::Turn,
};

pub(super) struct Sliding<K, A: Aggregate> {
    keys: Slots<K, Key<A::Item>>,
    /// When to look at a key again, and its place; void unless the key says the same.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    needs: Needs,
    open: usize,
    bytes: u64,
}

/// Windows keep no records of their own: what one holds are the key's records between its ends. A record stays until the
/// window behind it closes, which is also how long the windows that hold it stay.
struct Key<I> {
    /// In the order of time, those of one time as they came.
    records: VecDeque<Kept<I>>,
    /// The starts of the open windows, in order.
    windows: VecDeque<i64>,
    /// The end at which to look again.
    due: i64,
}

impl<I> Default for Key<I> {
    fn default() -> Self {
        Key { records: VecDeque::new(), windows: VecDeque::new(), due: i64::MAX }
    }
}

struct Kept<I> {
    item: I,
    at: Place,
    offset: i64,
    /// The offset from which it is taken again by the same windows.
    needed: i64,
    bytes: u64,
}

impl<K, A: Aggregate> Default for Sliding<K, A>
where
    K: Eq + Hash + Clone,
{
    fn default() -> Self {
        Sliding { keys: Slots::default(), due: BinaryHeap::new(), needs: Needs::default(), open: 0, bytes: 0 }
    }
}

impl<K: Eq + Hash + Clone, A: Aggregate> Sliding<K, A> {
    pub(super) fn record<O: FnMut(Event<K, A>)>(
        &mut self,
        entry: Entry<K, A::Item>,
        needed: Needed,
        turn: &mut Turn<'_, A, O>,
    ) -> Verdict {
        let Entry { offset, key, item, at, bytes, .. } = entry;
        let size = turn.rules.kind.size();
        let own = turn.rules.kind.own(at.time, turn.rules.negative_starts);
        let empty = Key::default();
        let place = self.keys.find(&key);
        let kept = place.and_then(|place| self.keys.get(place)).map_or(&empty, |(_, kept)| kept);
        let mut taken = kept.candidates(at.time, size);
        taken.push(own);
        taken.sort_unstable();
        taken.dedup();
        taken.retain(|start| !turn.is_closed(start.saturating_add(size)));
        let takes_own = taken.contains(&own);
        if !takes_own {
            // The last of all windows that could hold it begins at it.
            let last_is_closed = turn.is_closed(at.time.saturating_add(size));
            let start = if last_is_closed { at.time } else { own };
            turn.late(at, Span { start, end: start.saturating_add(size) }, LateReason::Closed);
        }
        let (Some(oldest), Some(newest)) = (taken.first(), taken.last()) else {
            return Verdict::Late(LateReason::Closed);
        };
        // Taken only by others' windows, it is not taken without the records that those are there for.
        let around = kept.range(oldest.saturating_sub(1), newest.saturating_add(size));
        let inherited =
            if takes_own { None } else { kept.records.range(around).map(|kept| kept.needed).min() };
        let behind = at.time.saturating_add(1);
        if !kept.range(behind, behind.saturating_add(size)).is_empty()
            && !turn.is_closed(behind.saturating_add(size))
            // One that is there already does not hold the record, and stays as it is.
            && kept.windows.binary_search(&behind).is_err()
        {
            taken.push(behind);
        }

        match inherited.filter(|inherited| *inherited < offset) {
            Some(inherited) => self.needs.share(inherited),
            None => self.needs.add(needed),
        }
        self.bytes += bytes;
        let place = self.keys.find_or_add(&key);
        let Some((_, kept)) = self.keys.get_mut(place) else { return Verdict::Taken };
        for start in &taken {
            self.open += usize::from(kept.open(*start));
        }
        let record = Kept { item, at, offset, needed: inherited.unwrap_or(offset).min(offset), bytes };
        kept.records.insert(kept.records.partition_point(|other| other.at.time <= at.time), record);
        let due = kept.next(size);
        if due < kept.due {
            kept.due = due;
            self.due.push(Reverse((due, place)));
        }
        if turn.rules.updates {
            for start in taken {
                let (count, held) = kept.gather(start, turn.rules);
                let span = Span { start, end: start.saturating_add(size) };
                turn.fire(key.clone(), span, Reason::Update, count, held);
            }
        }
        Verdict::Taken
    }

    pub(super) fn fire<O: FnMut(Event<K, A>)>(&mut self, reason: Reason, turn: &mut Turn<'_, A, O>) {
        let size = turn.rules.kind.size();
        while let Some(Reverse((end, place))) = self.due.peek().copied() {
            if !turn.is_closed(end) {
                return;
            }
            self.due.pop();
            let Some((key, kept)) = self.keys.get_mut(place).filter(|(_, kept)| kept.due == end) else {
                continue;
            };
            if let Some(start) = kept.windows.pop_front_if(|start| start.saturating_add(size) <= end) {
                self.open -= 1;
                if !turn.rules.updates {
                    let (count, held) = kept.gather(start, turn.rules);
                    turn.fire(key.clone(), Span { start, end }, reason, count, held);
                }
            }
            while let Some(record) = kept.records.pop_front_if(|record| behind(record, size) <= end) {
                self.bytes -= record.bytes;
                self.needs.remove(record.needed);
            }
            kept.due = kept.next(size);
            if kept.due == i64::MAX {
                self.keys.remove(place);
            } else {
                self.due.push(Reverse((kept.due, place)));
            }
        }
    }

    pub(super) fn needed(&self) -> Option<Needed> {
        // Every window is there for records that are kept at least as long, so it needs nothing that they do not.
        self.needs.lowest()
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next_end(&self, _: &Rules<A>) -> Option<i64> {
        self.due.peek().map(|Reverse((end, _))| *end)
    }

    pub(super) fn last_end(&self, rules: &Rules<A>) -> Option<i64> {
        let size = rules.kind.size();
        self.keys.iter().filter_map(|(_, kept)| kept.records.back().map(|last| behind(last, size))).max()
    }

    pub(super) fn visit(&self, rules: &Rules<A>, see: &mut impl FnMut(&K, Span, u64, &A)) {
        for (key, kept) in self.keys.iter() {
            for &start in &kept.windows {
                let (count, held) = kept.gather(start, rules);
                see(key, Span { start, end: start.saturating_add(rules.kind.size()) }, count, &held);
            }
        }
    }
}

/// The end of the window that begins just behind a record.
fn behind<I>(record: &Kept<I>, size: i64) -> i64 {
    record.at.time.saturating_add(1).saturating_add(size)
}

impl<I> Key<I> {
    /// The starts of windows that hold this moment: those that are there, and those that begin behind a record.
    fn candidates(&self, moment: i64, size: i64) -> Vec<i64> {
        let oldest = moment.saturating_sub(size);
        let open = self.windows.partition_point(|start| *start < oldest);
        let open = self.windows.range(open..).copied().take_while(|start| *start <= moment);
        let followed = self.range(oldest.saturating_sub(1), moment.saturating_sub(1));
        let followed = self.records.range(followed).map(|record| record.at.time.saturating_add(1));
        open.chain(followed).collect()
    }

    /// The places of the records from one moment to another, both included.
    fn range(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let begin = self.records.partition_point(|record| record.at.time < from);
        let end = self.records.partition_point(|record| record.at.time <= to);
        begin..end.max(begin)
    }

    fn open(&mut self, start: i64) -> bool {
        match self.windows.binary_search(&start) {
            Ok(_) => false,
            Err(place) => {
                self.windows.insert(place, start);
                true
            }
        }
    }

    /// The next end at which a window closes or a record is forgotten.
    fn next(&self, size: i64) -> i64 {
        let window = self.windows.front().map_or(i64::MAX, |start| start.saturating_add(size));
        window.min(self.records.front().map_or(i64::MAX, |record| behind(record, size)))
    }

    fn gather<A: Aggregate<Item = I>>(&self, start: i64, rules: &Rules<A>) -> (u64, A) {
        let range = self.range(start, start.saturating_add(rules.kind.size()));
        let mut records = self.records.range(range).collect::<Vec<_>>();
        // As they came.
        records.sort_unstable_by_key(|record| record.offset);
        let mut held = A::default();
        for record in &records {
            if let Some(item) = (rules.ways.copy_item)(&record.item) {
                held.add(item, &record.at);
            }
        }
        (records.len() as u64, held)
    }
}
