//! What a reactor produces: a local stream, and the topic that `to` names.

mod common;

use std::time::Duration;

use common::{Raw, Record, SOON, Tail, cluster, eventually, start, within};
use fusion::{Contract, Count, Missed, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Visit {
    car: String,
    times: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_typed_and_say_where_they_come_from() {
    #[reactor(topic = "results.visit", retry = 0)]
    async fn visit(times: u32, car: Key<String>) -> Result<Visit, String> {
        tokio::task::yield_now().await;
        if times == 0 { Err("never there".into()) } else { Ok(Visit { car: car.0, times }) }
    }
    #[reactor(topic = "results.other")]
    fn other(number: i64) -> i64 {
        number
    }
    let config = cluster();
    let app = start(App::new("results.visit", config.clone()).reactors(reactors![visit])).await;
    let pipeline = Pipeline::connect("results", config).await.unwrap();
    // Nobody listens yet, and that holds up nothing.
    assert_eq!(pipeline.ask::<visit>((1,)).key("a").await.unwrap().times, 1);

    let (mut one, mut two) = (app.results::<visit>(), app.results::<visit>());
    let sent = pipeline.send::<visit>((2,)).key("b").await.unwrap();
    // Neither a failure nor what nobody could decode is a result.
    pipeline.send::<visit>((0,)).key("b").await.unwrap();
    pipeline.send_value("results.visit", json!("text")).key("b").await.unwrap();
    pipeline.send::<visit>((3,)).key("b").await.unwrap();
    for results in [&mut one, &mut two] {
        let produced = within(SOON, results.next()).await.unwrap().unwrap();
        assert_eq!(produced.value, Visit { car: "b".into(), times: 2 });
        assert_eq!(
            (&*produced.topic, produced.partition, produced.offset),
            (visit::TOPIC, sent.partition, sent.offset)
        );
        assert_eq!(within(SOON, results.next()).await.unwrap().unwrap().value.times, 3);
    }
    // A reactor of some other app produces nothing here.
    assert!(within(SOON, app.results::<other>().next()).await.is_none());
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
    assert!(within(SOON, one.next()).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_told_how_much_it_missed() {
    #[reactor(topic = "results.slow", order = partition)]
    fn slow(number: u64) -> u64 {
        number
    }
    let config = cluster();
    common::create(&config, &[slow::TOPIC], 1).await;
    let app = start(App::new("results.slow", config.clone()).reactors(reactors![slow])).await;
    let mut results = app.results::<slow>();
    let raw = Raw::new(&config);
    let before = app.metrics().get(Count::Succeeded);
    for delivered in (0..3000_u64)
        .map(|number| raw.queue(&Record::to(slow::TOPIC).value(number.to_string())))
        .collect::<Vec<_>>()
    {
        within(SOON, delivered).await.unwrap().unwrap();
    }
    eventually(SOON, || app.metrics().get(Count::Succeeded) == before + 3000).await;
    assert_eq!(within(SOON, results.next()).await.unwrap().unwrap_err(), Missed::Slow(3000 - 1024));
    for number in 3000 - 1024..3000 {
        assert_eq!(within(SOON, results.next()).await.unwrap().unwrap().value, number);
    }
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn to_gets_each_success_and_the_next_reactor_reads_it() {
    #[reactor(topic = "results.to", to = "results.to.next", retry = 1)]
    async fn first(number: i64) -> Result<i64, String> {
        if number < 0 { Err("negative".into()) } else { Ok(number * 10) }
    }
    #[reactor(topic = "results.to.next", to = "results.to.end")]
    fn next(number: i64, key: Key<Option<String>>) -> String {
        format!("{:?} {number}", key.0)
    }
    #[reactor(topic = "results.some", to = "results.some.to")]
    fn some(number: i64) -> Option<i64> {
        (number % 2 == 0).then_some(number)
    }
    let config = cluster();
    let (mut nexts, mut ends) =
        (Tail::at_end(&config, next::TOPIC).await, Tail::at_end(&config, "results.to.end").await);
    let mut somes = Tail::at_end(&config, "results.some.to").await;
    let app = start(App::new("results.to", config.clone()).reactors(reactors![first, next, some])).await;
    let (raw, pipeline) = (Raw::new(&config), Pipeline::connect("to", config).await.unwrap());
    // Key and time go along; the record's own headers do not.
    let record = Record::to(first::TOPIC).key("k").header("mine", "1").timestamp(1_700_000_000_000);
    raw.send(record.value("4")).await;
    let sent = nexts.one().await;
    assert_eq!((sent.key.as_deref(), sent.value.as_deref()), (Some(&b"k"[..]), Some(&b"40"[..])));
    assert_eq!((sent.headers.len(), sent.timestamp), (0, Some(1_700_000_000_000)));
    assert_eq!(ends.one().await.json(), json!("Some(\"k\") 40"));
    // Whoever asks is answered as well, and a failure sends nothing.
    assert_eq!(pipeline.ask::<first>((5,)).await.unwrap(), 50);
    assert_eq!(ends.one().await.json(), json!("None 50"));
    pipeline.ask::<first>((-1,)).await.unwrap_err();
    // `None` is answered, but not sent.
    for number in [1, 2, 3, 4, 5] {
        assert_eq!(pipeline.ask::<some>((number,)).await.unwrap(), (number % 2 == 0).then_some(number));
    }
    let mut numbers: Vec<_> = somes.take(2).await.iter().map(|sent| sent.json().as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 4]);
    assert_eq!(nexts.one().await.json(), json!(50));
    eventually(SOON, || app.metrics().get(Count::Sent) == 6).await;
    assert_eq!((nexts.rest(), ends.rest(), somes.rest()), (vec![], vec![], vec![]));
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// A shutdown commits what was sent on.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_twice_over_a_restart() {
    #[reactor(topic = "results.restart", to = "results.restart.to")]
    fn restart(number: i64) -> Result<Option<i64>, String> {
        Ok((number != 0).then_some(number))
    }
    let config = cluster().stop_limit(Duration::from_secs(10));
    let mut sent = Tail::at_end(&config, "results.restart.to").await;
    for round in 0..2 {
        let app = start(App::new("results.restart", config.clone()).reactors(reactors![restart])).await;
        let pipeline = Pipeline::connect("restart", config.clone()).await.unwrap();
        for number in [0, 1, 2] {
            pipeline.send::<restart>((number,)).await.unwrap();
        }
        eventually(SOON, || app.metrics().get(Count::Succeeded) == 3).await;
        app.shutdown().await.unwrap();
        pipeline.close().await.unwrap();
        assert_eq!(sent.take(2).await.len(), 2, "round {round}");
    }
    assert_eq!(sent.rest(), []);
}
