//! Whether a group has sent one result for each window, and the right one.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use fusion::Config;

use crate::{
    common::{Raw, Record, SOON, Tail, eventually_async, unique},
    look::Look,
    windows::{Expected, Gathered, Members, Variant, begin, config},
};

/// For how long what must come is waited for. Only a failing story waits so long.
const LIMIT: Duration = Duration::from_secs(60);

/// A group that gathers a variant's windows, and its results from the beginning on.
pub struct Group {
    variant: &'static Variant,
    name: String,
    /// What the ids begin with that are sent to it.
    pub run: String,
    pub look: Look,
    results: Tail,
}

impl Group {
    pub async fn begin(variant: &'static Variant) -> Group {
        let name = unique(variant.name);
        let look = begin(variant, &name).await;
        let results = Tail::at_end(&config("classic"), variant.results).await;
        Group { variant, name, run: unique("run"), look, results }
    }

    /// Two of them.
    pub fn members(&self, protocol: &'static str) -> Members {
        Members::start(self.variant.name, &self.name, 2, protocol)
    }

    /// The log of its window, unless that has none.
    pub fn log(&self) -> Option<String> {
        self.look.topics(&self.name).into_iter().find(|topic| topic.ends_with(".repartition"))
    }

    /// Waits until all that was written to the sources by now has been read and committed, by whomever.
    pub async fn catch_up(&self) {
        let ends: Vec<_> = self.variant.sources.iter().map(|source| self.look.ends(source)).collect();
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        eventually_async(LIMIT, async || {
            pause.tick().await;
            self.variant.sources.iter().zip(&ends).all(|(source, ends)| has_reached(&self.look, source, ends))
        })
        .await;
    }

    /// Waits until all partitions are read, under a load, by members that do so now.
    pub async fn take_over(&self) {
        self.catch_up().await;
        // What may have been read before is behind us.
        self.catch_up().await;
    }

    /// Waits until everything that was written to the sources is decided, and nothing is open any more: what is open holds
    /// the committed offset.
    async fn settle(&self) -> bool {
        let until = Instant::now() + LIMIT;
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        let (log, mut ends) = (self.log(), None);
        while Instant::now() < until {
            pause.tick().await;
            if !self.variant.sources.iter().all(|source| self.look.is_done(source)) {
                continue;
            }
            let Some(log) = &log else { return true };
            let ends = ends.get_or_insert_with(|| self.look.ends(log));
            if has_reached(&self.look, log, ends) {
                return true;
            }
        }
        false
    }

    /// The members' results are one for each that is expected, and no more when they have ended.
    pub async fn check(&mut self, members: Members, expected: &Expected) {
        let settled = self.settle().await;
        members.end().await;
        let mut found: HashMap<(String, i64), Vec<Gathered>> = HashMap::new();
        for record in rest(&config("classic"), &mut self.results, self.variant.results).await {
            let result: Gathered = serde_json::from_value(record.json()).unwrap();
            if result.id.starts_with(&self.run) {
                found.entry((result.id.clone(), result.start)).or_default().push(result);
            }
        }
        let mut wrong = Vec::new();
        for ((id, start), numbers) in expected {
            let mut numbers = numbers.clone();
            numbers.sort_unstable();
            match found.remove(&(id.clone(), *start)).as_deref() {
                None => wrong.push(format!("{id} at {start}: no result for {numbers:?}")),
                Some([result]) if result.numbers == numbers => {}
                Some([result]) => {
                    wrong.push(format!("{id} at {start}: {:?}, not {numbers:?}", result.numbers));
                }
                Some(results) => wrong.push(format!("{id} at {start}: {} results", results.len())),
            }
        }
        wrong.extend(found.into_keys().map(|(id, start)| format!("{id} at {start}: nothing was sent")));
        assert!(expected.len() > 40, "the load was nothing: {} windows", expected.len());
        assert!(wrong.is_empty(), "{} of {} windows:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
        assert!(settled, "all results are there, but what is committed does not say so");
    }
}

fn has_reached(look: &Look, topic: &str, ends: &[i64]) -> bool {
    look.committed(topic).into_iter().zip(ends).all(|(committed, end)| committed.unwrap() >= *end)
}

/// All that a topic has when its writers have ended.
pub async fn rest(config: &Config, tail: &mut Tail, topic: &str) -> Vec<Record> {
    const END: &str = "the-end";
    let (raw, end) = (Raw::new(config), unique("end"));
    let partitions = Look::new(config, &end).partitions(topic);
    for partition in 0..partitions {
        raw.send(Record::to(topic).partition(partition).header(END, &*end)).await;
    }
    let (mut records, mut ended, until) = (Vec::new(), 0, Instant::now() + SOON);
    while ended < partitions {
        assert!(Instant::now() < until, "a transaction in `{topic}` does not end");
        let Some(record) = tail.next(Duration::from_millis(100)).await else { continue };
        if !record.has(END) {
            records.push(record);
        } else if record.text(END) == end {
            ended += 1;
        }
    }
    records
}
