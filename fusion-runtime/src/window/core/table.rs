//! What is open, and what becomes of it.

use std::{fmt, hash::Hash};

use super::{
    Aggregate, Cut, CutLimit, Kind, Late, LateReason, Needed, Part, Place, Reason, Rules, RulesError, Time,
    aligned::Aligned, cut::Replay, need::earliest, session::Sessions, sliding::Sliding,
};

/// From where to where a window reaches, in milliseconds since 1970: `[start, end)` of tumbling and hopping windows,
/// `[start, end]` of the others; of a session the times of its first and its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where it begins.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

/// Something that happened. Nothing is told of what is replayed below a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<K, A> {
    /// The handler is to run.
    Fired {
        /// The key.
        key: K,
        /// The window.
        span: Span,
        /// Why; [`Reason::Update`] after each record of a window with updates.
        reason: Reason,
        /// How many records were gathered.
        count: u64,
        /// What they gave.
        held: A,
    },
    /// A window refused a record. There is one for each of them; whether all did, the [`Verdict`] says.
    Late(Late),
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At least one window took it.
    Taken,
    /// Every window refused it: it belongs into the `late` topic.
    Late(LateReason),
    /// It is below the cut: it was decided again, and causes nothing.
    Replayed,
    /// Nothing was done: other logs of this table have not been replayed up to the cut. Read no further in this log until
    /// [`Table::is_replaying`] says no, then give the record again.
    Hold,
}

/// A record.
#[derive(Clone, Debug)]
pub struct Entry<K, I> {
    /// Which of the table's logs it was read from; 0 where there is one.
    pub log: usize,
    /// Its offset in that log.
    pub offset: i64,
    /// Where reading that log has to begin to know of time what is known here: [`Claims::begin`](super::Claims::begin)
    /// of a re-keyed log, otherwise the record's own offset.
    pub begin: i64,
    /// The window's key.
    pub key: K,
    /// What is gathered.
    pub item: I,
    /// Its place in the source, and its event time.
    pub at: Place,
    /// About how much memory it takes while it is open.
    pub bytes: u64,
}

/// The open windows of one log, or of copartitioned logs of one number.
///
/// Records of a log are given in the order of their offsets. Time never goes back.
pub struct Table<K, A: Aggregate> {
    rules: Rules<A>,
    time: Option<i64>,
    replay: Replay,
    /// A time that came while copartitioned logs were replayed.
    pending: Option<Time>,
    store: Store<K, A>,
}

enum Store<K, A: Aggregate> {
    Aligned(Aligned<K, A>),
    Sliding(Sliding<K, A>),
    Sessions(Sessions<K, A>),
}

/// Calls the same method of whatever the store is.
macro_rules! each {
    ($store:expr, $inner:pat => $call:expr) => {
        match $store {
            Store::Aligned($inner) => $call,
            Store::Sliding($inner) => $call,
            Store::Sessions($inner) => $call,
        }
    };
}

/// How a record or a new time is worked out.
pub(super) struct Turn<'a, A: Aggregate, O> {
    pub(super) rules: &'a Rules<A>,
    pub(super) time: Option<i64>,
    quiet: bool,
    out: &'a mut O,
}

impl<A: Aggregate, O> Turn<'_, A, O> {
    /// Whether a window with this end has closed.
    pub(super) fn is_closed(&self, end: i64) -> bool {
        self.time.is_some_and(|time| time >= self.rules.closes_at(end))
    }

    pub(super) fn fire<K>(&mut self, key: K, span: Span, reason: Reason, count: u64, held: A)
    where
        O: FnMut(Event<K, A>),
    {
        if !self.quiet {
            (self.out)(Event::Fired { key, span, reason, count, held });
        }
    }

    pub(super) fn late<K>(&mut self, at: Place, span: Span, reason: LateReason)
    where
        O: FnMut(Event<K, A>),
    {
        if !self.quiet {
            (self.out)(Event::Late(Late::new(at, span, reason, self.time)));
        }
    }
}

impl<K: Eq + Hash + Clone, A: Aggregate> Table<K, A> {
    /// A table with nothing open, over so many logs.
    ///
    /// # Errors
    /// When windows cannot be declared like this.
    pub fn new(rules: Rules<A>, logs: usize) -> Result<Self, RulesError> {
        rules.check(logs)?;
        let store = match rules.kind {
            Kind::Tumbling { .. } | Kind::Hopping { .. } => Store::Aligned(Aligned::new(logs)),
            Kind::Sliding { .. } => Store::Sliding(Sliding::default()),
            Kind::Session { .. } => Store::Sessions(Sessions::default()),
        };
        Ok(Table { rules, time: None, replay: Replay::none(logs), pending: None, store })
    }

    /// A table over one log, as a commit remembers it: the log is to be read again from `cut.needed.begin`, and its
    /// records from `cut.needed.offset` are given to the table.
    ///
    /// # Errors
    /// When windows cannot be declared like this.
    pub fn resume(rules: Rules<A>, cut: &Cut) -> Result<Self, RulesError> {
        let mut table = Table::new(rules, 1)?;
        table.time = cut.needed.time;
        table.replay = Replay::of_log(cut.needed.offset, cut.high);
        if let Store::Sessions(sessions) = &mut table.store {
            sessions.expect(&cut.splits);
        }
        Ok(table)
    }

    /// A table over copartitioned logs, as commits remember them: each log is to be read again from its `needed`. The
    /// time is that of the cut. Windows that had closed there are not opened again, whatever the order in which the logs
    /// are read; so no log is read beyond its `high` before all have been read up to theirs.
    ///
    /// # Errors
    /// When windows cannot be declared like this.
    pub fn resume_parts(rules: Rules<A>, time: Option<i64>, parts: &[Part]) -> Result<Self, RulesError> {
        let mut table = Table::new(rules, parts.len())?;
        table.time = time;
        table.replay = Replay::of_parts(parts);
        Ok(table)
    }

    /// Takes a record. `time` is the new time if the record moved it, as it does where the sources are read directly: time
    /// moves, then the record is assigned, then windows fire.
    pub fn record(
        &mut self,
        entry: Entry<K, A::Item>,
        time: Option<Time>,
        out: &mut impl FnMut(Event<K, A>),
    ) -> Verdict {
        let (log, offset) = (entry.log, entry.offset);
        self.reached(log, offset, out);
        let quiet = self.replay.is_replay(log, offset);
        if !quiet && self.is_replaying() {
            return Verdict::Hold;
        }
        let before = self.time;
        if let Some(time) = time {
            self.move_to(time);
        }
        let needed = Needed { offset, time: before, begin: entry.begin.min(offset) };
        let mut turn = Turn { rules: &self.rules, time: self.time, quiet, out };
        let verdict = each!(&mut self.store, store => store.record(entry, needed, &mut turn));
        if let Some(time) = time {
            each!(&mut self.store, store => store.fire(time.reason, &mut turn));
        }
        self.reached(log, offset.saturating_add(1), out);
        if quiet { Verdict::Replayed } else { verdict }
    }

    /// Moves time and fires what closes by it, in the order of ends. `offset` is where the log says so, that of a control
    /// record; `None` where it is the clock.
    pub fn advance(&mut self, offset: Option<i64>, time: Time, out: &mut impl FnMut(Event<K, A>)) {
        let quiet = match offset {
            Some(offset) => self.replay.is_replay(0, offset),
            None if self.is_replaying() => {
                self.pending = later(self.pending, time);
                return;
            }
            None => false,
        };
        self.move_to(time);
        let mut turn = Turn { rules: &self.rules, time: self.time, quiet, out };
        each!(&mut self.store, store => store.fire(time.reason, &mut turn));
        if let Some(offset) = offset {
            self.reached(0, offset.saturating_add(1), out);
        }
    }

    /// Fires everything that is open, as the control record at `offset` asks: moves time to the last close of an open
    /// window.
    pub fn drain(&mut self, offset: Option<i64>, out: &mut impl FnMut(Event<K, A>)) {
        if let Some(at) = self.last_close() {
            self.advance(offset, Time { at, reason: Reason::Drained }, out);
        }
    }

    /// Everything below `position` in this log was read. Offsets have gaps, so this is to be said where a read ends, or a
    /// replay may seem not to be over.
    pub fn reached(&mut self, log: usize, position: i64, out: &mut impl FnMut(Event<K, A>)) {
        if !self.is_replaying() {
            return;
        }
        self.replay.reached(log, position);
        if !self.is_replaying()
            && let Some(time) = self.pending.take()
        {
            self.advance(None, time, out);
        }
    }

    /// Whether a log has not been read up to the cut that the table was made from.
    pub fn is_replaying(&self) -> bool {
        !self.replay.is_over()
    }

    /// What a commit at `high` must remember, where everything below it was given to the table and nothing else; `None`
    /// while the last cut is still being replayed, and remains the one to remember. `begin` as for [`Entry::begin`].
    pub fn cut(&self, high: i64, begin: i64, limit: CutLimit) -> Option<Cut> {
        if self.is_replaying() || high < self.replay.high(0) {
            return None;
        }
        let nothing = Needed { offset: high, time: self.time, begin: begin.min(high) };
        let needed = self.needed(0).unwrap_or(nothing);
        let (splits, origin) = match &self.store {
            Store::Sessions(sessions) => sessions.splits(limit),
            _ => (Vec::new(), None),
        };
        let needed = origin.map_or(needed, |origin| earliest(origin, needed));
        Some(Cut { needed, high, splits })
    }

    /// What a commit of copartitioned logs must remember besides [`time`](Self::time), one for each of `highs`; as
    /// [`cut`](Self::cut).
    pub fn parts(&self, highs: &[i64]) -> Option<Vec<Part>> {
        if self.is_replaying() || highs.len() != self.replay.logs() {
            return None;
        }
        let part = |(log, high): (usize, &i64)| Part {
            needed: self.needed(log).map_or(*high, |needed| needed.offset),
            high: *high,
        };
        Some(highs.iter().enumerate().map(part).collect())
    }

    /// The lowest offset of a log that is still needed.
    pub fn needed(&self, log: usize) -> Option<Needed> {
        match &self.store {
            Store::Aligned(aligned) => aligned.needed(log),
            Store::Sliding(sliding) => sliding.needed(),
            Store::Sessions(sessions) => sessions.needed(),
        }
    }

    /// The time, once it is known.
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// What the windows were declared as.
    pub fn rules(&self) -> &Rules<A> {
        &self.rules
    }

    /// How many windows are kept, each key's counted for itself; those that fired early are kept until they close.
    pub fn open_keys(&self) -> usize {
        each!(&self.store, store => store.open())
    }

    /// About how much memory their records take: the sum of [`Entry::bytes`].
    pub fn open_bytes(&self) -> u64 {
        each!(&self.store, store => store.bytes())
    }

    /// The time at which the next one closes; of sessions and sliding windows, the time before which none does.
    pub fn next_close(&self) -> Option<i64> {
        each!(&self.store, store => store.next_end(&self.rules)).map(|end| self.rules.closes_at(end))
    }

    /// The time at which nothing is kept any more.
    pub fn last_close(&self) -> Option<i64> {
        each!(&self.store, store => store.last_end(&self.rules)).map(|end| self.rules.closes_at(end))
    }

    /// About where the oldest open window begins. Of sessions all are looked at.
    pub fn oldest_start(&self) -> Option<i64> {
        match &self.store {
            Store::Sessions(sessions) => sessions.oldest(),
            store => {
                let end = each!(store, store => store.next_end(&self.rules))?;
                Some(end.saturating_sub(self.rules.kind.size()))
            }
        }
    }

    /// Looks at each window that has not fired: its key, what it is, how many records it gathered, and what they give.
    pub fn visit_open(&self, mut see: impl FnMut(&K, Span, u64, &A)) {
        each!(&self.store, store => store.visit(&self.rules, &mut see));
    }

    fn move_to(&mut self, time: Time) {
        if self.replay.stands() {
            self.pending = later(self.pending, time);
        } else {
            self.time = self.time.max(Some(time.at));
        }
    }
}

fn later(pending: Option<Time>, time: Time) -> Option<Time> {
    Some(pending.filter(|pending| pending.at >= time.at).unwrap_or(time))
}

impl<K, A: Aggregate> fmt::Debug for Table<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rules", &self.rules).field("time", &self.time).finish_non_exhaustive()
    }
}
