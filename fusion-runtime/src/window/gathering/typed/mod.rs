//! What one partition of a window's log gathers, and the runs of the handler: all that knows the window's types.

mod attempts;
mod members;
mod records;
mod turns;

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self},
};

use tokio::time::Instant;

use crate::{
    consume::{Core, Ran, Seat, Started},
    dag::Caller,
    failure::{Code, Failure},
    observe::Count,
    window::{
        Emit, Place, RecordKey, Skipped, Window, WindowReactor,
        core::{Cut, CutLimit, Entry, Event, Late, Part, Rules, RulesError, Span, Table, Time, Verdict},
        typed::{Declared, guarded, read, rules},
    },
};

use attempts::{Attempts, hand_ins};
use members::{Broken, Members, record_bytes, ways, window_bytes};
pub(crate) use records::{Arrived, Direct, Fired, Judged, Origin, Sorted};
use turns::Turns;

/// A run that was started.
pub(crate) enum Begun {
    Done(Fired, Ran),
    Pending(Pin<Box<dyn Future<Output = (Fired, Ran)> + Send>>),
}

/// The open windows of one partition.
pub(crate) trait Gathering: Send {
    /// Takes a record.
    ///
    /// # Errors
    /// When its value cannot be read: the declaration has changed since it was re-keyed.
    fn record(&mut self, record: Arrived<'_>) -> Result<Verdict, Failure>;
    /// Takes a record of a source, if `judge` finds its key and time good.
    ///
    /// # Errors
    /// When its value cannot be read.
    fn direct(
        &mut self,
        record: Direct<'_>,
        judge: &mut dyn FnMut(&[u8], i64) -> Judged,
    ) -> Result<Sorted, Failure>;
    /// Moves time, as the log says at `offset`, or the clock.
    fn advance(&mut self, offset: Option<i64>, time: Time);
    /// Fires everything that is open.
    fn drain(&mut self, offset: Option<i64>);
    /// Everything of a log below `position` was read.
    fn reached(&mut self, log: usize, position: i64);
    /// Tells of each window that refused a record since the last question.
    fn late(&mut self, tell: &mut dyn FnMut(Late));
    /// Starts the handler for the next window that fired.
    fn start(&mut self, cx: &mut task::Context<'_>) -> Option<Begun>;
    /// How many have fired whose handlers have not been started.
    fn fired(&self) -> usize;
    fn cut(&self, high: i64, begin: i64, limit: CutLimit) -> Option<Cut>;
    /// As `cut`, of several logs.
    fn parts(&self, highs: &[i64]) -> Option<Vec<Part>>;
    /// Whether what an earlier owner decided is still being decided again.
    fn is_replaying(&self) -> bool;
    fn time(&self) -> Option<i64>;
    fn next_close(&self) -> Option<i64>;
    /// About where the oldest open window begins. Of sessions all are looked at.
    fn oldest_start(&self) -> Option<i64>;
    fn open_keys(&self) -> usize;
    fn open_bytes(&self) -> u64;
}

/// What the last owner left.
pub(crate) enum Left<'a> {
    Nothing {
        logs: usize,
    },
    /// Of one log.
    Cut(&'a Cut),
    /// Of several.
    Parts {
        time: Option<i64>,
        parts: &'a [Part],
    },
}

pub(crate) struct Typed<W: WindowReactor, F> {
    handler: fn(W::Gathered, W::HandIns) -> F,
    seat: Seat<F>,
    table: Table<RecordKey, Members<W>>,
    out: Out<W>,
    /// Of updates: there, the order of a key's runs counts.
    turns: Option<Turns>,
    env: Arc<Env>,
}

/// What happened, and was not looked at.
struct Out<W: WindowReactor> {
    fired: VecDeque<(Fired, Result<W::Gathered, Broken>)>,
    late: Vec<Late>,
}

/// What all runs of one partition have in common.
pub(crate) struct Env {
    pub(crate) core: Arc<Core>,
    pub(crate) declared: Arc<Declared>,
    /// What runs are said to be for.
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
}

/// The offset of what no record caused, but the clock.
const CLOCK: i64 = -1;

/// The open windows of a partition, empty or as its last owner left them.
///
/// # Errors
/// When windows cannot be declared like this.
pub(crate) fn gathering<W: WindowReactor>(
    env: Env,
    left: Left<'_>,
) -> Result<Box<dyn Gathering>, RulesError> {
    named::<W, _>(W::run, env, left)
}

/// Gives the handler's future a name, `F`.
fn named<W, F>(
    handler: fn(W::Gathered, W::HandIns) -> F,
    env: Env,
    left: Left<'_>,
) -> Result<Box<dyn Gathering>, RulesError>
where
    W: WindowReactor,
    F: Future<Output = Result<W::Value, Failure>> + Send + 'static,
{
    let rules: Rules<Members<W>> = rules(env.declared.spec, ways::<W>());
    let table = match left {
        Left::Nothing { logs } => Table::new(rules, logs)?,
        Left::Cut(cut) => Table::resume(rules, cut)?,
        Left::Parts { time, parts } => Table::resume_parts(rules, time, parts)?,
    };
    let out = Out { fired: VecDeque::new(), late: Vec::new() };
    let turns = (env.declared.spec.emit == Emit::Updates).then(Turns::default);
    Ok(Box::new(Typed::<W, F> { handler, seat: Seat::new(), table, out, turns, env: Arc::new(env) }))
}

impl<W: WindowReactor> Out<W> {
    fn take(
        &mut self,
        event: Event<RecordKey, Members<W>>,
        (cause, caused_by): (i64, Option<Origin>),
        env: &Env,
    ) {
        match event {
            Event::Fired { key, span: Span { start, end }, reason, count, held } => {
                let window = Window::new(start, end, reason, count);
                let timestamp = env.declared.kind().timestamp(end);
                let fired = Fired { key, window, timestamp, cause, caused_by, members: held.origins };
                self.fired.push_back((fired, held.gathered));
            }
            Event::Late(late) => self.late.push(late),
        }
    }
}

impl<W, F> Gathering for Typed<W, F>
where
    W: WindowReactor,
    F: Future<Output = Result<W::Value, Failure>> + Send + 'static,
{
    fn record(&mut self, record: Arrived<'_>) -> Result<Verdict, Failure> {
        let Arrived { log, time, offset, begin, key, value, place, size } = record;
        let read = read::<W>(usize::from(place.topic), value, Some(place.time))?;
        let (key, bytes) = (RecordKey::from_slice(key), record_bytes::<W>(size));
        let entry = Entry { log, offset, begin, key, item: Ok(read.item), at: place, bytes };
        let (out, env) = (&mut self.out, &self.env);
        let cause = (offset, Some(Origin::from(&place)));
        Ok(self.table.record(entry, time, &mut |event| out.take(event, cause, env)))
    }

    fn direct(
        &mut self,
        record: Direct<'_>,
        judge: &mut dyn FnMut(&[u8], i64) -> Judged,
    ) -> Result<Sorted, Failure> {
        let Direct { log, offset, value, partition, timestamp, size } = record;
        let read = read::<W>(log, value, timestamp)?;
        let Some(key) = read.key else { return Ok(Sorted::Skipped(Skipped::NoKey)) };
        let Some(moment) = read.time else { return Ok(Sorted::Skipped(Skipped::NoTime)) };
        let time = match judge(&key, moment) {
            Judged::Gathered(time) => time,
            Judged::Skipped(reason) => return Ok(Sorted::Skipped(reason)),
        };
        let at = Place { time: moment, topic: u16::try_from(log).unwrap_or(u16::MAX), partition, offset };
        let bytes = record_bytes::<W>(size);
        let entry = Entry { log, offset, begin: offset, key, item: Ok(read.item), at, bytes };
        let (out, env) = (&mut self.out, &self.env);
        let cause = (offset, Some(Origin::from(&at)));
        Ok(Sorted::Gathered(self.table.record(entry, time, &mut |event| out.take(event, cause, env))))
    }

    fn advance(&mut self, offset: Option<i64>, time: Time) {
        let (out, env) = (&mut self.out, &self.env);
        self.table.advance(offset, time, &mut |event| out.take(event, (offset.unwrap_or(CLOCK), None), env));
    }

    fn drain(&mut self, offset: Option<i64>) {
        let (out, env) = (&mut self.out, &self.env);
        self.table.drain(offset, &mut |event| out.take(event, (offset.unwrap_or(CLOCK), None), env));
    }

    fn reached(&mut self, log: usize, position: i64) {
        let (out, env) = (&mut self.out, &self.env);
        self.table.reached(log, position, &mut |event| out.take(event, (position, None), env));
    }

    fn late(&mut self, tell: &mut dyn FnMut(Late)) {
        self.out.late.drain(..).for_each(tell);
    }

    fn start(&mut self, cx: &mut task::Context<'_>) -> Option<Begun> {
        let (fired, gathered) = self.out.fired.pop_front()?;
        let env = &self.env;
        let gathered = match gathered {
            Ok(gathered) => gathered,
            Err(Broken(text)) => return Some(Begun::Done(fired, Err(Failure::new(Code::Panic, text)))),
        };
        let spare = spare::<W>(env, &gathered);
        let until = Instant::now() + env.declared.spec.within;
        let caller = env.caller(until);
        if let Some(wait) = self.turns.as_ref().and_then(|turns| turns.wait(&fired.key)) {
            let attempts = Attempts::<W, F> { handler: self.handler, env: env.clone(), fired, caller };
            return Some(Begun::Pending(Box::pin(async move {
                let _turn = wait.over().await;
                attempts.run_all(gathered, spare).await
            })));
        }
        let started = match hand_ins::<W>(env, &fired, 1, until, caller.as_ref()) {
            Ok(hand_ins) => {
                let handler = self.handler;
                self.seat.start(|| handler(gathered, hand_ins), env.encode(), cx)
            }
            Err(failure) => Started::Done(Err(failure)),
        };
        let first = match started {
            Started::Done(Err(failure)) if failure.is_retryable() && spare.is_some() => {
                Started::Done(Err(failure))
            }
            Started::Done(ran) => return Some(Begun::Done(fired, ran)),
            pending @ Started::Pending(_) => pending,
        };
        let turn = self.turns.as_ref().map(|turns| turns.begin(&fired.key));
        let attempts = Attempts::<W, F> { handler: self.handler, env: self.env.clone(), fired, caller };
        Some(Begun::Pending(Box::pin(async move {
            let _turn = turn;
            attempts.run(first, spare, until).await
        })))
    }

    fn fired(&self) -> usize {
        self.out.fired.len()
    }

    fn cut(&self, high: i64, begin: i64, limit: CutLimit) -> Option<Cut> {
        self.table.cut(high, begin, limit)
    }

    fn parts(&self, highs: &[i64]) -> Option<Vec<Part>> {
        self.table.parts(highs)
    }

    fn is_replaying(&self) -> bool {
        self.table.is_replaying()
    }

    fn time(&self) -> Option<i64> {
        self.table.time()
    }

    fn next_close(&self) -> Option<i64> {
        self.table.next_close()
    }

    fn oldest_start(&self) -> Option<i64> {
        self.table.oldest_start()
    }

    fn open_keys(&self) -> usize {
        self.table.open_keys()
    }

    fn open_bytes(&self) -> u64 {
        self.table.open_bytes() + self.table.open_keys() as u64 * window_bytes::<W>()
    }
}

/// A second one of what was gathered, for a handler that may be run again: it costs as much as the first.
fn spare<W: WindowReactor>(env: &Env, gathered: &W::Gathered) -> Option<W::Gathered> {
    if env.declared.spec.retry == 0 {
        return None;
    }
    guarded(|| W::copy(gathered)).unwrap_or_else(|panic| {
        env.core.counters.one(Count::Panics);
        tracing::warn!(
            window = env.declared.spec.name,
            panic,
            "what was gathered cannot be copied, so there is one attempt"
        );
        None
    })
}

impl Env {
    fn caller(&self, until: Instant) -> Option<Caller> {
        let route = self.core.route.as_ref().filter(|_| self.declared.window.calls())?;
        Some(Caller::new(route.clone(), until, 0).with_back_off(self.core.back_off))
    }

    fn encode(&self) -> Option<crate::record::codec::Format> {
        let wanted = self.declared.spec.to.is_some() || self.declared.is_listened();
        wanted.then_some(self.core.format)
    }
}
