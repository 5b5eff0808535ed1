//! Partitions that a window cannot be gathered from: members were given the wrong ones, or topics have grown.

use std::{sync::Arc, time::Duration};

use fusion::{App, Config, Error, Running, Start, prelude::*};
use tokio::sync::Mutex;

use crate::{
    common::{Raw, Record, SOON, create, eventually, start, unique, within},
    look::Look,
    windows::{Reading, config, now},
};

#[reactor(
    window! < readings: "apart.brake" | "apart.lidar" by id at time >,
    tumbling = 2s, grace = 0s, copartitioned,
)]
fn apart(readings: Vec<Reading>) {
    drop(readings);
}

async fn stop(app: Running) {
    within(SOON, app.shutdown()).await.unwrap();
}

/// Why a window does not go on.
fn reason(error: &Error) -> &str {
    let (Error::Window { reason, .. } | Error::WindowStart { reason, .. }) = error else { panic!("{error}") };
    reason
}

/// Why the app ends. Partitions are waited for, for a while.
async fn why(app: &Running) -> Arc<Error> {
    within(Duration::from_secs(30), app.failed()).await
}

pub async fn what_roundrobin_gives_is_refused() {
    refused(config("classic").consumer_set("partition.assignment.strategy", "roundrobin")).await;
}

pub async fn what_the_uniform_assignor_gives_is_refused() {
    refused(config("consumer").consumer_set("group.remote.assignor", "uniform")).await;
}

/// Two members share two topics, but not by number.
async fn refused(config: Config) {
    let (group, config) = (unique("apart"), config.start(Start::Latest));
    create(&config, &["apart.brake", "apart.lidar"], 3).await;
    let member = || App::new(&*group, config.clone()).reactors(reactors![apart]);
    let first = start(member()).await;
    let second = member().start().await.unwrap();
    let error = why(&first).await;
    for part in
        ["members must be given all", "`partition.assignment.strategy`", "`range`", "only those of apart."]
    {
        assert!(reason(&error).contains(part), "{error}");
    }
    stop(first).await;
    stop(second).await;
}

#[reactor(
    window! < readings: "grows.brake" | "grows.lidar" by id at time >,
    tumbling = 2s, grace = 0s,
)]
fn rekeyed(readings: Vec<Reading>) {
    drop(readings);
}

#[reactor(
    window! < readings: "grows.co.brake" | "grows.co.lidar" by id at time >,
    tumbling = 1h, grace = 0s, idle = never, copartitioned,
)]
fn copartitioned(readings: Vec<Reading>) {
    drop(readings);
}

/// What is new is soon heard of.
fn hearing() -> Config {
    config("classic").start(Start::Latest).set("topic.metadata.refresh.interval.ms", "500")
}

/// One story at a time has them grow.
static GROWING: Mutex<()> = Mutex::const_new(());

/// They live on in a cluster, and are larger in each run: the brakes' stays the largest.
async fn growing(config: &Config) -> Look {
    create(config, &["grows.brake"], 6).await;
    create(config, &["grows.lidar"], 1).await;
    let look = Look::new(config, &unique("look"));
    while look.partitions("grows.brake") < look.partitions("grows.lidar") + 3 {
        look.grow("grows.brake").await;
    }
    look
}

pub async fn a_source_that_grows_ends_the_app() {
    let _alone = GROWING.lock().await;
    let config = hearing();
    let look = growing(&config).await;
    let app = start(App::new(unique("grows"), config.clone()).reactors(reactors![rekeyed])).await;
    let new = look.grow("grows.lidar").await;
    let error = why(&app).await;
    let expected = format!(
        "a claim of partition {new} of source topic 1, which does not exist. Give the window another `name` to begin anew"
    );
    assert_eq!(reason(&error), expected);
    stop(app).await;
}

pub async fn a_source_that_grew_ends_the_next_app() {
    let _alone = GROWING.lock().await;
    let config = hearing();
    let look = growing(&config).await;
    let (group, other) = (unique("grows"), unique("grows"));
    let member = |group: &str| App::new(group, config.clone()).reactors(reactors![rekeyed]);
    for group in [&group, &other] {
        let app = start(member(group)).await;
        // It has spoken of its sources.
        let (group, log) = (Look::new(&config, group), format!("{group}.rekeyed.repartition"));
        eventually(SOON, || group.committed(&log).iter().all(Option::is_some)).await;
        eventually(SOON, || look.ends(&log).iter().all(|end| *end > 0)).await;
        stop(app).await;
    }

    let (brakes, lidars) = (look.partitions("grows.brake"), look.grow("grows.lidar").await);
    let app = member(&group).start().await.unwrap();
    let error = why(&app).await;
    let expected = format!(
        "the source topics had [{brakes}, {lidars}] partitions and now have [{brakes}, {}]: keys would meet elsewhere. Give \
         the window another `name` to begin anew",
        lidars + 1
    );
    assert_eq!(reason(&error), expected);
    stop(app).await;

    // The log has as many as the largest had.
    look.grow("grows.brake").await;
    let error = member(&other).start().await.unwrap_err();
    assert!(reason(&error).contains(&format!("has {brakes} partitions, but the largest")), "{error}");
}

#[reactor(
    window! < readings: "grows.log.brake" | "grows.log.lidar" by id at time >,
    tumbling = 2s, grace = 0s, name = "logged",
)]
fn logged(readings: Vec<Reading>) {
    drop(readings);
}

/// Nobody would speak of time in what is new, so what is gathered there would stay open.
pub async fn a_log_that_grows_ends_the_app() {
    let (group, config) = (unique("grows"), hearing());
    create(&config, &["grows.log.brake", "grows.log.lidar"], 2).await;
    let app = start(App::new(&*group, config.clone()).reactors(reactors![logged])).await;
    let (look, log) = (Look::new(&config, &group), format!("{group}.logged.repartition"));
    let had = look.grow(&log).await;
    let error = why(&app).await;
    let expected = format!(
        "its log `{log}` had {had} partitions and now has more: keys would meet elsewhere. Give the window another `name` to \
         begin anew"
    );
    assert_eq!(reason(&error), expected);
    stop(app).await;
}

pub async fn copartitioned_sources_that_grow_end_the_app() {
    let (group, config) = (unique("grows"), hearing());
    let topics = ["grows.co.brake", "grows.co.lidar"];
    create(&config, &topics, 2).await;
    let look = Look::new(&config, &group);
    let member = || App::new(&*group, config.clone()).reactors(reactors![copartitioned]);
    let app = start(member()).await;
    let raw = Raw::new(&config);
    let time = now();
    for number in 0..50 {
        let id = format!("{group}-{number}");
        let value = serde_json::to_vec(&Reading { id: id.clone(), number, time }).unwrap();
        raw.send(Record::to(topics[number as usize % 2]).key(id).value(value).timestamp(time)).await;
    }
    // All of them are open.
    let lowest = || -> Vec<_> { topics.iter().map(|topic| look.committed(topic)).collect() };
    eventually(SOON, || lowest().iter().flatten().all(Option::is_some)).await;
    let had = look.partitions(topics[0]);
    for topic in topics {
        look.grow(topic).await;
    }
    let error = why(&app).await;
    let reason_of = |topic| {
        format!(
            "the source topic `{topic}` had {had} partitions and now has more: keys would meet elsewhere. Give the window \
             another `name` to begin anew"
        )
    };
    assert!(topics.map(reason_of).contains(&reason(&error).to_owned()), "{error}");
    stop(app).await;

    // What is open lies where it would not be sent any more.
    let app = member().start().await.unwrap();
    let error = why(&app).await;
    let found = ["does not lie in the partition of its window's key", "or have got more partitions since"];
    assert!(found.iter().all(|part| reason(&error).contains(part)), "{error}");
    stop(app).await;
}
