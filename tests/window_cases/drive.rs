//! Rows into the core: what a consumer does, without one.

use fusion_runtime::window::core::{
    CutLimit, Entry, Event, Intake, Newest, Place, Reason, Sources, Span, Table, Time, Verdict,
};
use serde_json::Value;

use crate::case::{AggregateName, Case, Gathered, Row, TimeMode, Values};

/// What became of a case.
pub struct Outcome {
    aggregate: AggregateName,
    /// The row that caused it, and why it fired.
    pub fired: Vec<(usize, Reason, Gathered)>,
    pub late: Vec<Row>,
    pub late_windows: Vec<(String, Value, i64, i64, i64)>,
    pub skipped: Vec<Row>,
    pub open: Vec<Gathered>,
}

/// Where to restart.
#[derive(Clone, Copy, PartialEq)]
pub enum Restart {
    /// At `@restart` only.
    AsWritten,
    /// Before this row too; what reads the sources goes on.
    AlsoBefore(usize),
}

type Say<'a> = &'a mut dyn FnMut(Event<String, Values>);

/// What is in a log, the time included as whoever wrote it decided it.
#[derive(Clone)]
enum Logged {
    Record(Record, Option<Time>),
    Time(Time),
}

#[derive(Clone)]
struct Record {
    key: String,
    value: Value,
    at: Place,
}

impl Record {
    fn entry(&self, log: usize, offset: usize) -> Entry<String, Value> {
        let (key, item) = (self.key.clone(), self.value.clone());
        Entry { log, offset: offset as i64, begin: offset as i64, key, item, at: self.at, bytes: 1 }
    }
}

/// What a row is.
enum Read {
    Record(usize, Record),
    Skipped,
    Watermark(i64),
    Clock,
    Restart,
}

/// The partitions of a case, and its clock.
struct Reader<'a> {
    case: &'a Case,
    sources: Sources,
    clock: i64,
}

impl<'a> Reader<'a> {
    fn new(case: &'a Case) -> Self {
        let mut reader = Reader { case, sources: sources(case), clock: case.options.wall_start_ms };
        reader.assign(&vec![None; reader.partitions()]);
        reader
    }

    fn partitions(&self) -> usize {
        if self.case.time_mode == TimeMode::Partitions { self.case.options.partitions.len() } else { 1 }
    }

    fn assign(&mut self, newest: &[Option<Newest>]) {
        for newest in newest {
            let partition = self.sources.assign(*newest, self.clock);
            self.sources.caught_up(partition, true);
        }
    }

    /// What a commit remembers of the partitions survives.
    fn restart(&mut self, time: Option<i64>) {
        let newest = (0..self.partitions()).map(|partition| self.sources.newest(partition));
        let newest = newest.collect::<Vec<_>>();
        self.sources = sources(self.case);
        self.sources.restore(time);
        self.assign(&newest);
    }

    fn read(&mut self, number: usize, row: &Row) -> Result<Read, String> {
        let Row(source, key, value, timestamp) = row;
        let time = || timestamp.ok_or(format!("row {number} has no timestamp"));
        match source.as_str() {
            "@watermark" => return Ok(Read::Watermark(time()?)),
            "@wallclock" => {
                self.clock = time()?;
                return Ok(Read::Clock);
            }
            "@restart" => {
                self.clock = timestamp.unwrap_or(self.clock);
                return Ok(Read::Restart);
            }
            _ if source.starts_with('@') => return Err(format!("row {number} is no known form")),
            _ => {}
        }
        let partitions = &self.case.options.partitions;
        let partition = match self.case.time_mode {
            TimeMode::Partitions => partitions.iter().position(|partition| partition == source),
            _ => Some(0),
        };
        let partition = partition.ok_or(format!("row {number} is of an unknown partition"))?;
        let Some(key) = key.clone().filter(|_| value != "!undecodable") else { return Ok(Read::Skipped) };
        let time = time()?;
        if let Intake::Skipped(_) = self.sources.take(partition, time, self.clock) {
            return Ok(Read::Skipped);
        }
        let topic = self.case.topic(source.split('/').next().unwrap_or_default());
        let at = Place { time, topic, partition: partition as i32, offset: number as i64 };
        Ok(Read::Record(partition, Record { key, value: value.clone(), at }))
    }

    fn time(&mut self) -> Option<Time> {
        // Only watermarks move it otherwise.
        (self.case.time_mode != TimeMode::Explicit).then(|| self.sources.now(self.clock)).flatten()
    }
}

fn sources(case: &Case) -> Sources {
    let options = &case.options;
    let sources = Sources::new(options.idle_timeout_ms, options.max_future_skew_ms);
    if options.wall_clock_close { sources } else { sources.without_clock() }
}

/// All rows through one log, as sources that are re-keyed.
pub fn one_log(case: &Case, restart: Restart) -> Result<Outcome, String> {
    let mut outcome = Outcome::new(case);
    let mut reader = Reader::new(case);
    let mut log = Vec::new();
    let mut table = Table::new(case.rules()?, 1).map_err(|error| error.to_string())?;
    for (number, row) in case.input.iter().enumerate() {
        if restart == Restart::AlsoBefore(number) {
            table = resume(case, &table, &log)?;
        }
        let read = reader.read(number, row)?;
        let offset = log.len();
        match read {
            Read::Skipped => outcome.skipped.push(row.clone()),
            Read::Restart => {
                table = resume(case, &table, &log)?;
                reader.restart(table.time());
            }
            Read::Watermark(time) => {
                log.push(Logged::Time(Time { at: time.saturating_add(1), reason: Reason::Closed }));
            }
            Read::Clock => log.extend(reader.time().map(Logged::Time)),
            Read::Record(_, record) => log.push(Logged::Record(record, reader.time())),
        }
        for (offset, logged) in log.iter().enumerate().skip(offset) {
            let verdict = give(&mut table, logged, offset, &mut outcome.hear(number, row));
            outcome.verdict(row, verdict);
        }
    }
    if restart == Restart::AlsoBefore(case.input.len()) {
        table = resume(case, &table, &log)?;
    }
    outcome.see_open(&table);
    Ok(outcome)
}

fn give(
    table: &mut Table<String, Values>,
    logged: &Logged,
    offset: usize,
    mut say: Say<'_>,
) -> Option<Verdict> {
    match logged {
        Logged::Record(record, time) => Some(table.record(record.entry(0, offset), *time, &mut say)),
        Logged::Time(time) => {
            table.advance(Some(offset as i64), *time, &mut say);
            None
        }
    }
}

/// From what the last commit kept, by replay.
fn resume(
    case: &Case,
    table: &Table<String, Values>,
    log: &[Logged],
) -> Result<Table<String, Values>, String> {
    let cut = table.cut(log.len() as i64, log.len() as i64, CutLimit::NONE).ok_or("there was no cut")?;
    let mut table = Table::resume(case.rules()?, &cut).map_err(|error| error.to_string())?;
    for (offset, logged) in log.iter().enumerate().skip(cut.needed.offset as usize) {
        let mut said = 0;
        let verdict = give(&mut table, logged, offset, &mut |_| said += 1);
        if said > 0 || verdict.is_some_and(|verdict| verdict != Verdict::Replayed) {
            return Err(format!("the replay of offset {offset} was heard"));
        }
    }
    if table.is_replaying() { Err("the replay did not end".to_owned()) } else { Ok(table) }
}

/// A log for each partition, as copartitioned sources.
pub fn log_per_partition(case: &Case) -> Result<Outcome, String> {
    let mut outcome = Outcome::new(case);
    let mut reader = Reader::new(case);
    let mut logs = vec![Vec::<Record>::new(); reader.partitions()];
    let mut table = Table::new(case.rules()?, logs.len()).map_err(|error| error.to_string())?;
    for (number, row) in case.input.iter().enumerate() {
        match reader.read(number, row)? {
            Read::Skipped => outcome.skipped.push(row.clone()),
            Read::Watermark(_) => return Err("a watermark has no place among partitions".to_owned()),
            Read::Restart => {
                table = resume_parts(case, &table, &logs)?;
                reader.restart(table.time());
            }
            Read::Clock => {
                if let Some(time) = reader.time() {
                    table.advance(None, time, &mut outcome.hear(number, row));
                }
            }
            Read::Record(partition, record) => {
                let entry = record.entry(partition, logs[partition].len());
                logs[partition].push(record);
                let verdict = table.record(entry, reader.time(), &mut outcome.hear(number, row));
                outcome.verdict(row, Some(verdict));
            }
        }
    }
    outcome.see_open(&table);
    Ok(outcome)
}

fn resume_parts(
    case: &Case,
    table: &Table<String, Values>,
    logs: &[Vec<Record>],
) -> Result<Table<String, Values>, String> {
    let highs = logs.iter().map(|log| log.len() as i64).collect::<Vec<_>>();
    let parts = table.parts(&highs).ok_or("there was no cut")?;
    let mut table =
        Table::resume_parts(case.rules()?, table.time(), &parts).map_err(|error| error.to_string())?;
    // Last first: the order among partitions must not matter.
    for (log, records) in logs.iter().enumerate().rev() {
        for (offset, record) in records.iter().enumerate().skip(parts[log].needed as usize) {
            if table.record(record.entry(log, offset), None, &mut |_| {}) != Verdict::Replayed {
                return Err(format!("offset {offset} of log {log} was not replayed"));
            }
        }
        table.reached(log, highs[log], &mut |_| {});
    }
    if table.is_replaying() { Err("the replay did not end".to_owned()) } else { Ok(table) }
}

impl Outcome {
    fn new(case: &Case) -> Self {
        Outcome {
            aggregate: case.aggregate,
            fired: Vec::new(),
            late: Vec::new(),
            late_windows: Vec::new(),
            skipped: Vec::new(),
            open: Vec::new(),
        }
    }

    fn hear<'a>(&'a mut self, number: usize, row: &'a Row) -> impl FnMut(Event<String, Values>) + 'a {
        move |event| match event {
            Event::Fired { key, span: Span { start, end }, reason, held, .. } => {
                let held = held.aggregate(self.aggregate);
                self.fired.push((number, reason, Gathered(key, start, end, held)));
            }
            Event::Late(late) => {
                let Row(_, key, value, time) = row.clone();
                let (key, time) = (key.unwrap_or_default(), time.unwrap_or_default());
                self.late_windows.push((key, value, time, late.span.start, late.span.end));
            }
        }
    }

    fn verdict(&mut self, row: &Row, verdict: Option<Verdict>) {
        if let Some(Verdict::Late(_)) = verdict {
            self.late.push(row.clone());
        }
    }

    fn see_open(&mut self, table: &Table<String, Values>) {
        table.visit_open(|key, span, _, held| {
            self.open.push(Gathered(key.clone(), span.start, span.end, held.aggregate(self.aggregate)));
        });
    }
}
