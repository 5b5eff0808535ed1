//! Where a group begins, and goes on.

use fusion::{App, Config, Count, Error, GroupProtocol, OnGap, Running, Start};
use serde_json::json;

use crate::{
    common::{Raw, Record, SOON, create, eventually, start, unique, within},
    look::Look,
    work::{self, Job, Log, config, ended, lowest_unfinished},
};

/// Writes so many records into each of the topic's partitions.
async fn write(config: &Config, topic: &str, partitions: i32, count: usize) {
    let raw = Raw::new(config);
    for partition in 0..partitions {
        for _ in 0..count {
            let job = json!(Job { key: "any".to_owned(), millis: 0 }).to_string();
            raw.queue(&Record::to(topic).partition(partition).value(job)).await.unwrap().unwrap();
        }
    }
}

async fn stop(app: Running) {
    within(SOON, app.shutdown()).await.unwrap();
}

pub async fn a_gap_ends_the_app_and_says_where() {
    let (group, topic, config) = (unique("gap"), work::gap::TOPIC, config());
    create(&config, &[topic], 1).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let app = || work::gap::app(&group, config.clone(), log.of("0"));
    let first = start(app()).await;
    write(&config, topic, 1, 5).await;
    eventually(SOON, || look.is_done(topic) && log.read().len() == 10).await;
    stop(first).await;

    let committed = look.committed(topic)[0].unwrap();
    write(&config, topic, 1, 10).await;
    look.delete_below(topic, 0, committed + 4).await;
    let again = start(app()).await;
    let error = within(SOON, again.failed()).await;
    let Error::Gap { topic: where_, partition, offset, start, end } = &*error else { panic!("{error}") };
    assert_eq!((&**where_, *partition, *offset), (topic, 0, committed));
    assert_eq!((*start, *end), (committed + 4, committed + 10));
    stop(again).await;
    assert_eq!(look.committed(topic)[0], Some(committed), "nothing was skipped");
    assert_eq!(log.read().len(), 10);
}

pub async fn a_partition_that_is_overtaken_goes_on_behind_the_gap_classic() {
    overtaken("classic", work::overtaken::TOPIC, work::overtaken::app).await;
}

pub async fn a_partition_that_is_overtaken_goes_on_behind_the_gap_consumer() {
    let protocol = "consumer";
    overtaken(protocol, work::overtaken_consumer::TOPIC, work::overtaken_consumer::app).await;
}

/// One of three partitions loses records before they are read. All others are read once, without a gap.
async fn overtaken(protocol: &str, topic: &str, app: fn(&str, Config, Log) -> App<(Log, ())>) {
    let group = unique(protocol);
    // Little is read ahead.
    let config = match protocol {
        "classic" => config(),
        _ => Config::from_env().unwrap().start(Start::Latest).group_protocol(GroupProtocol::Consumer),
    };
    let config = config.in_flight(10).fetch_buffer(100 * 1024).on_gap(OnGap::Partial);
    let config = config.consumer_set("fetch.message.max.bytes", "20000");
    create(&config, &[topic], 3).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let begin = look.ends(topic);
    let app = start(app(&group, config.clone(), log.of("0"))).await;
    // Each is a batch of its own: of a larger one all is fetched or nothing.
    let raw = Raw::new(&config.clone().set("batch.num.messages", "1"));
    let job = |partition: i32, millis: u64| {
        // In the value: librdkafka does not count what keys take of its buffer.
        let job = json!({"key": partition.to_string(), "millis": millis, "pad": "x".repeat(10_000)});
        Record::to(topic).partition(partition).key(partition.to_string()).value(job.to_string())
    };
    // What is behind the first waits for it.
    let mut sent = vec![raw.queue(&job(0, 8_000))];
    for _ in 0..300 {
        sent.push(raw.queue(&job(0, 0)));
    }
    for partition in [1, 2] {
        for _ in 0..50 {
            sent.push(raw.queue(&job(partition, 200)));
        }
    }
    for sent in sent {
        sent.await.unwrap().unwrap();
    }
    look.delete_below(topic, 0, begin[0] + 250).await;
    assert_eq!(ended(&log.read()).iter().filter(|(partition, _)| *partition == 0).count(), 0, "too late");
    eventually(SOON, || look.is_done(topic)).await;
    for _ in 0..10 {
        raw.send(job(0, 0)).await;
    }
    eventually(SOON, || look.is_done(topic)).await;
    let (entries, end) = (log.read(), look.ends(topic));
    let handled = |partition: i32| {
        let ends = entries.iter().filter(|entry| !entry.begins && entry.partition == partition);
        ends.map(|entry| entry.offset).collect::<Vec<_>>()
    };
    for partition in [1, 2] {
        let all: Vec<i64> = (begin[partition]..end[partition]).collect();
        assert_eq!(handled(partition as i32), all, "each once, in order");
    }
    let first = handled(0);
    assert!(first.ends_with(&(begin[0] + 250..end[0]).collect::<Vec<_>>()), "{first:?}");
    assert!(first.len() < 200, "{} of 311", first.len());
    assert_eq!(app.metrics().get(Count::Gaps), 1);
    stop(app).await;
}

pub async fn a_group_begins_where_it_was_told() {
    let (topic, config) = (work::began::TOPIC, config());
    create(&config, &[topic], 3).await;
    write(&config, topic, 3, 2).await;
    let (late, early) = (unique("latest"), unique("earliest"));
    let look = Look::new(&config, &late);
    let old = look.ends(topic);
    let logs = [Log::new(&late), Log::new(&early)];
    let latest = start(work::began::app(&late, config.clone(), logs[0].clone())).await;
    let from = config.clone().start(Start::Earliest);
    let earliest = start(work::began::app(&early, from, logs[1].clone())).await;
    eventually(SOON, || look.is_done(topic)).await;
    write(&config, topic, 3, 1).await;
    let end = look.ends(topic);
    eventually(SOON, || lowest_unfinished(&logs[0].read(), &old, &end) == end).await;
    eventually(SOON, || lowest_unfinished(&logs[1].read(), &[0, 0, 0], &end) == end).await;
    assert_eq!(ended(&logs[0].read()).len(), 3, "nothing old");
    stop(latest).await;
    stop(earliest).await;
    assert!(look.is_done(topic));
    assert!(Look::new(&config, &early).is_done(topic));
}

/// Also for whoever comes later: what is written between two members, or while nobody is there, is not lost.
pub async fn the_end_is_chosen_once() {
    let (group, topic, config) = (unique("chosen"), work::chosen::TOPIC, config());
    create(&config, &[topic], 2).await;
    write(&config, topic, 2, 1).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let begin = look.ends(topic);
    let app = |name: &str| work::chosen::app(&group, config.clone(), log.of(name));
    // Nothing was handled by the first.
    stop(start(app("0")).await).await;
    assert_eq!(look.committed(topic), begin.iter().copied().map(Some).collect::<Vec<_>>());
    write(&config, topic, 2, 3).await;
    let second = start(app("1")).await;
    let end = look.ends(topic);
    eventually(SOON, || lowest_unfinished(&log.read(), &begin, &end) == end).await;
    stop(second).await;
    assert!(look.is_done(topic));
    assert_eq!(log.read().len(), 12);
}

/// `Start::Latest` is about what is there when the group begins. What is added later has no records from before.
pub async fn partitions_that_come_later_are_read_from_their_beginning() {
    let (group, topic) = (unique("grown"), work::grown::TOPIC);
    // Longer than it takes to write: the member hears of a partition that has records already.
    let config = config().set("topic.metadata.refresh.interval.ms", "3000");
    create(&config, &[topic], 1).await;
    write(&config, topic, 1, 1).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let begin = look.ends(topic);
    let app = |name: &str| work::grown::app(&group, config.clone(), log.of(name));
    let write_to = async |partition| {
        let raw = Raw::new(&config);
        let job = json!(Job { key: "any".to_owned(), millis: 0 }).to_string();
        for _ in 0..2 {
            raw.queue(&Record::to(topic).partition(partition).value(&*job)).await.unwrap().unwrap();
        }
    };
    let read = |log: &Log| ended(&log.read());

    // While a member is there.
    let first = start(app("0")).await;
    let added = look.grow(topic).await;
    write_to(added).await;
    eventually(SOON, || read(&log).is_superset(&[(added, 0), (added, 1)].into())).await;
    stop(first).await;

    // While nobody is.
    let more = look.grow(topic).await;
    write_to(more).await;
    let second = start(app("1")).await;
    eventually(SOON, || read(&log).is_superset(&[(more, 0), (more, 1)].into())).await;
    eventually(SOON, || look.is_done(topic)).await;
    stop(second).await;
    let old = |&(partition, offset): &(i32, i64)| {
        begin.get(partition as usize).is_some_and(|begin| offset < *begin)
    };
    assert!(!read(&log).iter().any(old), "nothing from before the group began");
}
