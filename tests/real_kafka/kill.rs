//! Members that end: told to, and not.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    child::Child,
    common::{Raw, Record, SOON, create, eventually, unique},
    look::Look,
    work::{self, Entry, Job, Log, check_order, config, ended, lowest_unfinished},
};

const PARTITIONS: i32 = 4;

/// A topic with work in it for a group that begins where the work does.
struct Load {
    worker: &'static str,
    group: String,
    log: Log,
    look: Look,
    begin: Vec<i64>,
    end: Vec<i64>,
}

impl Load {
    async fn new(worker: &'static str, jobs: impl Iterator<Item = Job>) -> Load {
        let (group, topic, config) = (unique(worker), work::topic(worker), config());
        create(&config, &[topic], PARTITIONS).await;
        let look = Look::new(&config, &group);
        let begin = look.ends(topic);
        // Somebody was there before, so that the members begin here and not with what earlier runs left.
        let log = Log::new(&group);
        let first = crate::common::start(work::app(worker, &group, config.clone(), log.clone())).await;
        eventually(SOON, || look.is_done(topic)).await;
        first.shutdown().await.unwrap();
        let raw = Raw::new(&config);
        let send = |job: Job| raw.queue(&Record::to(topic).value(json!(job).to_string()).key(job.key));
        for report in jobs.map(send).collect::<Vec<_>>() {
            report.await.unwrap().unwrap();
        }
        let end = look.ends(topic);
        Load { worker, group, log, look, begin, end }
    }

    fn topic(&self) -> &'static str {
        work::topic(self.worker)
    }

    fn member(&self, name: &str, stop: Duration) -> Child {
        let (log, stop) = (self.log.path().to_str().unwrap(), stop.as_millis().to_string());
        Child::start(&["work", self.worker, &self.group, name, &stop, log])
    }

    fn committed(&self) -> Vec<i64> {
        let committed = self.look.committed(self.topic()).into_iter();
        committed.map(|offset| offset.expect("the group has committed where it began")).collect()
    }

    /// Nothing that was finished in order is left uncommitted, and nothing is committed that was not finished.
    fn check_committed(&self) {
        assert_eq!(self.committed(), lowest_unfinished(&self.log.read(), &self.begin, &self.end));
    }

    async fn all_handled(&self) {
        eventually(SOON, || lowest_unfinished(&self.log.read(), &self.begin, &self.end) == self.end).await;
    }
}

fn jobs(count: usize, keys: usize, millis: u64) -> impl Iterator<Item = Job> {
    (0..count).map(move |number| Job { key: format!("key-{}", number % keys), millis })
}

pub async fn sigterm_under_load_finishes_and_commits() {
    let load = Load::new("terminated", jobs(600, 30, 40)).await;
    let stop = Duration::from_secs(10);
    let mut handled = 0;
    for (turn, name) in ["0", "1", "2"].into_iter().enumerate() {
        let mut member = load.member(name, stop);
        eventually(SOON, || load.log.read().len() > handled + 100 * (turn + 1)).await;
        member.terminate();
        let (status, took) = member.ended(stop).await;
        assert!(status.success(), "{status}");
        // What runs takes 40 ms; what only waits is left to the next one.
        assert!(took < Duration::from_secs(5), "{took:?}");
        let entries = load.log.read();
        let begun = entries.iter().filter(|entry| entry.begins).count();
        assert_eq!(begun, entries.len() - begun, "what runs is finished");
        handled = entries.len();
        load.check_committed();
    }
    assert!(ended(&load.log.read()).len() < 600, "it was under load to the end");
    let mut last = load.member("3", stop);
    load.all_handled().await;
    last.terminate();
    assert!(last.ended(stop).await.0.success());
    load.check_committed();
    assert_eq!(load.committed(), load.end);
    check_order(&load.log.read());
}

pub async fn a_handler_that_does_not_end_is_left_uncommitted() {
    let endless = Job { key: "endless".to_owned(), millis: 40_000 };
    let load = Load::new("endless", jobs(40, 8, 10).chain([endless]).chain(jobs(40, 8, 10))).await;
    let stop = Duration::from_secs(3);
    let mut member = load.member("0", stop);
    // All but one.
    eventually(SOON, || ended(&load.log.read()).len() == 80).await;
    member.terminate();
    let (status, took) = member.ended(Duration::from_secs(10)).await;
    assert!(status.success(), "{status}");
    assert!(took < stop + Duration::from_millis(500), "{took:?}");
    load.check_committed();
    assert_ne!(load.committed(), load.end);
    let unfinished = |entries: Vec<Entry>| {
        let begun = entries.into_iter().filter(|entry| entry.key == "endless" && entry.begins);
        begun.map(|entry| (entry.member, entry.offset)).collect::<Vec<_>>()
    };
    let _next = load.member("1", stop);
    eventually(SOON, || unfinished(load.log.read()).len() == 2).await;
    let begun = unfinished(load.log.read());
    assert_eq!((&*begun[0].0, &*begun[1].0, begun[0].1), ("0", "1", begun[1].1));
}

pub async fn the_survivor_takes_over_from_a_killed_member() {
    let load = Load::new("killed", jobs(800, 64, 40)).await;
    let stop = Duration::from_secs(10);
    let mut victim = load.member("victim", stop);
    let mut survivor = load.member("survivor", stop);
    let by = |member: &str| load.log.read().into_iter().filter(|entry| entry.member == member).count();
    eventually(SOON, || by("victim") > 50 && by("survivor") > 50).await;
    victim.kill();
    let killed = Instant::now();
    let at_death = load.log.read();
    let lost: HashSet<_> = {
        let done = ended(&at_death);
        let begun = at_death.iter().filter(|entry| entry.begins && entry.member == "victim");
        begun.map(|entry| (entry.partition, entry.offset)).filter(|place| !done.contains(place)).collect()
    };
    assert!(!lost.is_empty(), "the victim was at work");
    load.all_handled().await;
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    let entries = load.log.read();
    let saved = entries.iter().filter(|entry| !entry.begins && entry.member == "survivor");
    let saved: HashSet<_> = saved.map(|entry| (entry.partition, entry.offset)).collect();
    assert!(lost.is_subset(&saved));
    survivor.terminate();
    assert!(survivor.ended(stop).await.0.success());
    load.check_committed();
    assert_eq!(load.committed(), load.end);
    check_order(&load.log.read());
}

/// A machine that was suspended, or a process that got no time: it wakes up with records whose partitions others have.
pub async fn a_member_that_stood_still_commits_nothing_of_what_it_lost() {
    let mut load = Load::new("frozen", jobs(800, 64, 40)).await;
    let stop = Duration::from_secs(10);
    let mut frozen = load.member("frozen", stop);
    let mut other = load.member("other", stop);
    let by = |log: &Log, member: &str| log.read().into_iter().filter(|entry| entry.member == member).count();
    eventually(SOON, || by(&load.log, "frozen") > 50 && by(&load.log, "other") > 50).await;
    frozen.freeze();
    // For longer than its session lasts: only then does the other one get its partitions.
    let before = load.log.read();
    load.all_handled().await;
    let done = ended(&before);
    let lost = before.iter().filter(|entry| entry.begins && entry.member == "frozen");
    let lost: HashSet<_> =
        lost.map(|entry| (entry.partition, entry.offset)).filter(|place| !done.contains(place)).collect();
    assert!(!lost.is_empty(), "it was at work");
    eventually(SOON, || load.look.is_done(load.topic())).await;
    let (end, begun) = (load.end.clone(), by(&load.log, "frozen"));

    frozen.thaw();
    let raw = Raw::new(&config());
    let more: Vec<_> = jobs(400, 64, 10)
        .map(|job| raw.queue(&Record::to(load.topic()).value(json!(job).to_string()).key(job.key)))
        .collect();
    for report in more {
        report.await.unwrap().unwrap();
    }
    load.end = load.look.ends(load.topic());
    // Until it is back at work, on what is new. An old commit of its would be seen in the meantime.
    let back = || {
        let committed = load.committed();
        assert!(committed.iter().zip(&end).all(|(now, end)| now >= end), "{committed:?} below {end:?}");
        let fresh = |entry: &Entry| entry.offset >= end[entry.partition as usize];
        load.log.read().iter().any(|entry| entry.begins && entry.member == "frozen" && fresh(entry))
            || load.look.is_done(load.topic())
    };
    eventually(SOON, back).await;
    load.all_handled().await;
    assert!(by(&load.log, "frozen") >= begun);
    for member in [&mut frozen, &mut other] {
        member.terminate();
        assert!(member.ended(stop).await.0.success());
    }
    load.check_committed();
    assert_eq!(load.committed(), load.end);
}
