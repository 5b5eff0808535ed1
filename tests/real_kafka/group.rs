//! Several members of one group, in this process.

use std::{
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use fusion::{Config, Count, GroupProtocol, Running, Start, prelude::*};
use serde_json::json;

use crate::{
    common::{Raw, Record, SOON, create, eventually, start, unique, within},
    look::Look,
    work::{self, Job, Log, check_order, config, lowest_unfinished},
};

const PARTITIONS: i32 = 6;
const KEYS: usize = 40;

pub async fn every_record_is_handled_while_members_come_and_go_classic() {
    come_and_go("classic", config().group_protocol(GroupProtocol::Classic)).await;
}

pub async fn every_record_is_handled_while_members_come_and_go_consumer() {
    // Here the broker says how often members report.
    let config = Config::from_env()
        .unwrap()
        .start(Start::Latest)
        .stop_limit(Duration::from_secs(10))
        .group_protocol(GroupProtocol::Consumer);
    come_and_go("consumer", config).await;
}

async fn come_and_go(worker: &'static str, config: Config) {
    let (group, topic) = (unique(worker), work::topic(worker));
    create(&config, &[topic], PARTITIONS).await;
    let log = Log::new(&group);
    let look = Look::new(&config, &group);
    let begin = look.ends(topic);
    let member = |name: &str| work::app(worker, &group, config.clone(), log.of(name));
    let mut members = vec![start(member("0")).await];
    // From now on the beginning holds for the whole group.
    eventually(SOON, || look.is_done(topic)).await;

    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(write(config.clone(), topic, stop.clone()));
    let asking = tokio::spawn(ask(config.clone(), topic, stop.clone()));
    for turn in 1..=4 {
        let joining = start(member(&turn.to_string())).await;
        let handled = log.read().len();
        eventually(SOON, || log.read().len() > handled + 100).await;
        check_committed(&look, topic, &log, &begin);
        // Now and then it is the one that was there first, the group's leader, who goes.
        let leaving = if turn % 2 == 0 { joining } else { std::mem::replace(&mut members[0], joining) };
        let began = Instant::now();
        leaving.shutdown().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5), "leaving took {:?}", began.elapsed());
        check_committed(&look, topic, &log, &begin);
    }
    stop.store(true, SeqCst);
    let written = within(SOON, writing).await.unwrap();
    let asked = within(SOON, asking).await.unwrap();

    let end = look.ends(topic);
    assert_eq!(end.iter().sum::<i64>() - begin.iter().sum::<i64>(), (written + asked) as i64);
    let handled = || lowest_unfinished(&log.read(), &begin, &end);
    let all_handled = eventually(SOON, || handled() == end);
    if tokio::time::timeout(SOON / 2, all_handled).await.is_err() {
        let metrics: Vec<_> = members.iter().map(|member| member.metrics()).collect();
        panic!("{:?} of {end:?} handled, {:?} committed: {metrics:?}", handled(), look.committed(topic));
    }
    eventually(SOON, || look.is_done(topic)).await;
    check_order(&log.read());
    for member in members {
        assert_eq!(member.metrics().get(Count::Failed), 0);
        member.shutdown().await.unwrap();
    }
    assert!(look.is_done(topic));
}

/// What is committed was handled. Asked first: what the log says afterwards was so before.
fn check_committed(look: &Look, topic: &str, log: &Log, begin: &[i64]) {
    let committed = look.committed(topic);
    let unfinished = lowest_unfinished(&log.read(), begin, &vec![i64::MAX; begin.len()]);
    for (partition, (committed, unfinished)) in committed.into_iter().zip(unfinished).enumerate() {
        let committed = committed.expect("the group has committed where it began");
        assert!(
            committed <= unfinished,
            "partition {partition}: {unfinished} is lost, {committed} committed"
        );
    }
}

async fn write(config: Config, topic: &'static str, stop: Arc<AtomicBool>) -> usize {
    let raw = Raw::new(&config);
    let (mut written, mut pace) = (0, tokio::time::interval(Duration::from_millis(25)));
    while !stop.load(SeqCst) {
        let mut reports = Vec::new();
        for _ in 0..10 {
            let key = format!("key-{}", written % KEYS);
            let job = Job { key: key.clone(), millis: (written as u64 * 7) % 30 };
            reports.push(raw.queue(&Record::to(topic).key(key).value(json!(job).to_string())));
            written += 1;
        }
        for report in reports {
            report.await.unwrap().unwrap();
        }
        pace.tick().await;
    }
    written
}

/// Asks one question after the other. Each must be answered, whoever comes or goes.
async fn ask(config: Config, topic: &'static str, stop: Arc<AtomicBool>) -> usize {
    let pipeline = Pipeline::connect("asking", config).await.unwrap();
    let mut asked = 0;
    while !stop.load(SeqCst) {
        let key = format!("question-{}", asked % 7);
        let job = json!(Job { key: key.clone(), millis: 5 });
        let answer = pipeline.ask_value(topic, job).key(&key).within(SOON);
        assert_eq!(answer.into_future().await.unwrap(), json!(true));
        asked += 1;
    }
    pipeline.close().await.unwrap();
    asked
}

pub async fn a_partition_that_was_paused_is_read_again_when_it_comes_back() {
    let (group, topic) = (unique("paused"), work::paused::TOPIC);
    let config = config().in_flight(64);
    create(&config, &[topic], 2).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let begin = look.ends(topic);
    let member = |name: &str| work::paused::app(&group, config.clone(), log.of(name));
    let first = start(member("0")).await;
    let raw = Raw::new(&config);
    for number in 0..600 {
        // One key a partition: all wait for the one that runs.
        let partition = number % 2;
        let job = Job { key: format!("key-{partition}"), millis: 8 };
        drop(raw.queue(&Record::to(topic).partition(partition).value(json!(job).to_string()).key(job.key)));
    }
    eventually(SOON, || first.metrics().get(Count::Pauses) >= 2).await;
    let second: Running = start(member("1")).await;
    second.shutdown().await.unwrap();
    let end = || begin.iter().map(|begin| begin + 300).collect::<Vec<_>>();
    eventually(SOON, || lowest_unfinished(&log.read(), &begin, &end()) == end()).await;
    eventually(SOON, || look.is_done(topic)).await;
    check_order(&log.read());
    first.shutdown().await.unwrap();
}

pub async fn a_member_that_stops_while_it_joins_is_gone_at_once() {
    let (group, topic) = (unique("joining"), work::joining::TOPIC);
    let config = config();
    create(&config, &[topic], 2).await;
    let log = Log::new(&group);
    for turn in 0..12_u32 {
        let app = work::joining::app(&group, config.clone(), log.of("0")).start().await.unwrap();
        // From before the group has answered to after the first assignment: here the moment is what is tested.
        tokio::time::sleep(Duration::from_millis(15) * turn).await;
        let began = Instant::now();
        app.shutdown().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(3), "after {turn} steps: {:?}", began.elapsed());
    }
    // And nobody is left behind to wait for.
    let began = Instant::now();
    let last = start(work::joining::app(&group, config, log.of("1"))).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    last.shutdown().await.unwrap();
}
