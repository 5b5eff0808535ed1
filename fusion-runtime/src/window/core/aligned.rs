//! Tumbling and hopping windows: all windows with one start close at once, so they are kept together.

use std::{collections::BTreeMap, hash::Hash};

use indexmap::IndexMap;

use super::{
    Aggregate, Entry, Event, LateReason, Needed, Reason, Rules, Span, Verdict, rules::Complete, table::Turn,
};

pub(super) struct Aligned<K, A> {
    /// By start, which is the order of ends too.
    buckets: BTreeMap<i64, Bucket<K, A>>,
    logs: usize,
    open: usize,
    bytes: u64,
}

struct Bucket<K, A> {
    /// In the order in which keys first came, so that a replay fires them in the same order.
    keys: IndexMap<K, Gathering<A>>,
    /// The first record of each log that one of the windows took.
    needed: Vec<Option<Needed>>,
}

struct Gathering<A> {
    held: A,
    /// A bit for each topic of which there was a record.
    spoken: u64,
    count: u64,
    bytes: u64,
    /// It was complete. It is kept until it closes, for what comes late.
    fired: bool,
}

impl<A: Default> Default for Gathering<A> {
    fn default() -> Self {
        Gathering { held: A::default(), spoken: 0, count: 0, bytes: 0, fired: false }
    }
}

impl<K: Eq + Hash + Clone, A: Aggregate> Aligned<K, A> {
    pub(super) fn new(logs: usize) -> Self {
        Aligned { buckets: BTreeMap::new(), logs, open: 0, bytes: 0 }
    }

    pub(super) fn record<O: FnMut(Event<K, A>)>(
        &mut self,
        entry: Entry<K, A::Item>,
        needed: Needed,
        turn: &mut Turn<'_, A, O>,
    ) -> Verdict {
        let Entry { log, key, item, at, bytes, .. } = entry;
        let starts = turn.rules.kind.starts(at.time, turn.rules.negative_starts);
        let mut item = Some(item);
        let mut verdict = Verdict::Late(LateReason::Closed);
        for start in starts.clone() {
            let span = span(turn.rules, start);
            if turn.is_closed(span.end) {
                turn.late(at, span, LateReason::Closed);
                continue;
            }
            let bucket = self
                .buckets
                .entry(start)
                .or_insert_with(|| Bucket { keys: IndexMap::new(), needed: vec![None; self.logs] });
            let place = bucket.keys.get_index_of(&key).unwrap_or_else(|| {
                self.open += 1;
                bucket.keys.insert_full(key.clone(), Gathering::default()).0
            });
            let window = &mut bucket.keys[place];
            if window.fired {
                turn.late(at, span, LateReason::AlreadyFired);
                if verdict != Verdict::Taken {
                    verdict = Verdict::Late(LateReason::AlreadyFired);
                }
                continue;
            }
            let one = if starts.is_last(start) {
                item.take()
            } else {
                item.as_ref().and_then(turn.rules.ways.copy_item)
            };
            let Some(one) = one else { continue };
            window.held.add(one, &at);
            window.count += 1;
            window.bytes += bytes;
            window.spoken |= 1_u64.checked_shl(at.topic.into()).unwrap_or(0);
            self.bytes += bytes;
            bucket.needed[log].get_or_insert(needed);
            verdict = Verdict::Taken;
            if turn.rules.updates {
                if let Some(held) = (turn.rules.ways.copy)(&window.held) {
                    turn.fire(key.clone(), span, Reason::Update, window.count, held);
                }
            } else if window.is_complete(&turn.rules.complete) {
                window.fired = true;
                self.bytes -= std::mem::take(&mut window.bytes);
                let held = std::mem::take(&mut window.held);
                turn.fire(key.clone(), span, Reason::Complete, window.count, held);
            }
        }
        verdict
    }

    pub(super) fn fire<O: FnMut(Event<K, A>)>(&mut self, reason: Reason, turn: &mut Turn<'_, A, O>) {
        while let Some(first) = self.buckets.first_entry() {
            let span = span(turn.rules, *first.key());
            if !turn.is_closed(span.end) {
                return;
            }
            let bucket = first.remove();
            self.open -= bucket.keys.len();
            for (key, window) in bucket.keys {
                self.bytes -= window.bytes;
                if !window.fired && !turn.rules.updates {
                    turn.fire(key, span, reason, window.count, window.held);
                }
            }
        }
    }

    pub(super) fn needed(&self, log: usize) -> Option<Needed> {
        let all = self.buckets.values().filter_map(|bucket| bucket.needed[log]);
        all.min_by_key(|needed| needed.offset)
    }

    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next_end(&self, rules: &Rules<A>) -> Option<i64> {
        self.buckets.first_key_value().map(|(start, _)| span(rules, *start).end)
    }

    pub(super) fn last_end(&self, rules: &Rules<A>) -> Option<i64> {
        self.buckets.last_key_value().map(|(start, _)| span(rules, *start).end)
    }

    pub(super) fn visit(&self, rules: &Rules<A>, see: &mut impl FnMut(&K, Span, u64, &A)) {
        for (start, bucket) in &self.buckets {
            for (key, window) in bucket.keys.iter().filter(|(_, window)| !window.fired) {
                see(key, span(rules, *start), window.count, &window.held);
            }
        }
    }
}

fn span<A: Aggregate>(rules: &Rules<A>, start: i64) -> Span {
    Span { start, end: start.saturating_add(rules.kind.size()) }
}

impl<A> Gathering<A> {
    fn is_complete(&self, complete: &Complete<A>) -> bool {
        match complete {
            Complete::Never => false,
            Complete::Topics(all) => self.spoken & all == *all,
            Complete::When(enough) => enough(&self.held),
        }
    }
}
