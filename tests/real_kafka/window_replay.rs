//! What a re-keyed window must have made of what it was sent, worked out from its log alone: each partition read once from
//! the beginning, by one reader that never ends. The bytes are read here as any other program would read them.

use std::{collections::BTreeMap, ops::Range};

use fusion_runtime::window::{
    Place,
    core::{Aggregate, Claim, Claims, Control, Entry, Event, Newest, Rules, Table, Verdict, Ways},
};
use serde::{Deserialize, Serialize};

use crate::{
    common::{Record, Tail},
    windows::{Reading, config},
};

/// A window that fired: what results say of it, and what the log does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fired {
    pub id: String,
    pub start: i64,
    pub end: i64,
    pub reason: String,
    /// In order.
    pub numbers: Vec<u64>,
}

/// The numbers of the readings that a window gathered.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Vec<u64>);

impl Aggregate for Numbers {
    type Item = u64;
    fn add(&mut self, number: u64, _: &Place) {
        self.0.push(number);
    }
}

/// What all kinds of windows need of [`Numbers`].
pub fn ways() -> Ways<Numbers> {
    Ways {
        copy_item: |number| Some(*number),
        copy: |numbers| Some(numbers.clone()),
        merge: |numbers, others| numbers.0.extend(others.0),
    }
}

/// A window's log as it is read, and what becomes of it.
pub struct Log {
    topics: [&'static str; 4],
    tail: Tail,
    partitions: Vec<Partition>,
    /// All that fired, for each key in order.
    pub fired: Vec<Fired>,
    /// Why each that every window refused was late, by number.
    pub late: BTreeMap<u64, &'static str>,
    /// How often each number was written.
    pub written: BTreeMap<u64, usize>,
    /// What fired because somebody had all fire that was open in a partition: its place in `fired`, by the partition and
    /// the offset of the record that asked for it.
    pub drains: BTreeMap<(i32, i64), Range<usize>>,
}

struct Partition {
    claims: Claims,
    table: Table<String, Numbers>,
    /// Behind the last record of a source.
    behind: i64,
}

impl Log {
    /// The log of a window with these sources, and this `idle` in milliseconds. It must not have been trimmed.
    pub async fn open(
        topic: &str,
        topics: [&'static str; 4],
        partitions: i32,
        rules: &Rules<Numbers>,
        idle: i64,
    ) -> Log {
        let partition = |_| Partition {
            claims: Claims::new(idle),
            table: Table::new(rules.clone(), 1).unwrap(),
            behind: 0,
        };
        Log {
            topics,
            tail: Tail::at_start(&config("classic"), topic).await,
            partitions: (0..partitions).map(partition).collect(),
            fired: Vec::new(),
            late: BTreeMap::new(),
            written: BTreeMap::new(),
            drains: BTreeMap::new(),
        }
    }

    /// Reads what there is.
    pub fn read(&mut self) {
        for record in self.tail.rest() {
            match record.headers.first() {
                Some((name, _)) if name == "fusion-control" => self.control(&record),
                Some((name, Some(source))) if name == "fusion-source" => self.record(&record, source),
                _ => panic!("neither a record of a source nor a control record: {record:?}"),
            }
        }
    }

    /// Whether there is something, and no window of it is open.
    pub fn is_over(&self) -> bool {
        !self.written.is_empty() && self.partitions.iter().all(|partition| partition.table.open_keys() == 0)
    }

    /// Behind the last record of a source, for each partition.
    pub fn behind(&self) -> impl Iterator<Item = i64> {
        self.partitions.iter().map(|partition| partition.behind)
    }

    fn control(&mut self, record: &Record) {
        let said: Said = serde_json::from_value(record.json()).unwrap();
        let place = |topic: &str| self.topics.iter().position(|known| *known == topic).unwrap();
        let mut counts = vec![0; self.topics.len()];
        for (topic, count) in &said.sources {
            counts[place(topic)] = *count;
        }
        let claims = said.claims.iter().map(|claim| Claim {
            topic: place(&claim.topic) as u16,
            partition: claim.partition,
            newest: claim.newest.map(|(time, arrived)| Newest { time, arrived }),
            idle: claim.idle,
        });
        let control = Control { stamp: said.stamp, counts, claims: claims.collect() };
        let partition = &mut self.partitions[record.partition.unwrap() as usize];
        let time = partition.claims.read(record.offset, &control).unwrap();
        let before = self.fired.len();
        let fired = &mut |event| keep(&mut self.fired, event);
        if said.drain {
            partition.table.drain(Some(record.offset), fired);
            self.drains.insert((record.partition.unwrap(), record.offset), before..self.fired.len());
        } else if let Some(time) = time {
            partition.table.advance(Some(record.offset), time, fired);
        }
    }

    fn record(&mut self, record: &Record, source: &[u8]) {
        let number = |bytes: &[u8]| bytes.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        // Nothing of what is sent here has a key of its own, so its name ends before the last byte.
        let name = std::str::from_utf8(&source[28..]).unwrap().trim_end_matches('\0');
        let at = Place {
            time: number(&source[20..28]),
            topic: self.topics.iter().position(|known| *known == name).unwrap() as u16,
            partition: number(&source[..4]) as i32,
            offset: number(&source[4..12]),
        };
        let reading: Reading = serde_json::from_value(record.json()).unwrap();
        assert_eq!((reading.id.as_bytes(), reading.time), (record.key.as_deref().unwrap(), at.time));
        *self.written.entry(reading.number).or_default() += 1;
        let partition = &mut self.partitions[record.partition.unwrap() as usize];
        partition.behind = record.offset + 1;
        let entry = Entry {
            log: 0,
            offset: record.offset,
            begin: record.offset,
            key: reading.id,
            item: reading.number,
            at,
            bytes: 1,
        };
        let verdict = partition.table.record(entry, None, &mut |event| keep(&mut self.fired, event));
        if let Verdict::Late(reason) = verdict {
            self.late.insert(reading.number, reason.as_str());
        }
    }
}

fn keep(fired: &mut Vec<Fired>, event: Event<String, Numbers>) {
    if let Event::Fired { key, span, reason, held, .. } = event {
        let mut numbers = held.0;
        numbers.sort_unstable();
        let reason = reason.as_str().to_owned();
        fired.push(Fired { id: key, start: span.start, end: span.end, reason, numbers });
    }
}

/// A control record.
#[derive(Deserialize)]
struct Said {
    stamp: i64,
    sources: Vec<(String, i32)>,
    #[serde(default)]
    claims: Vec<SaidOfOne>,
    #[serde(default)]
    drain: bool,
}

#[derive(Deserialize)]
struct SaidOfOne {
    topic: String,
    partition: i32,
    newest: Option<(i64, i64)>,
    idle: bool,
}
