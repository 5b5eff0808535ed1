//! What `max_open(bytes = ..)` promises: open windows take no more memory than it says, by ten percent at most.

mod common;

use std::alloc::System;

use cap::Cap;
use common::{Raw, Record, SOON, create, eventually, start, unique, within};
use fusion::{Count, Error, prelude::*};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// As in the attributes below.
const BOUND: usize = 48_000_000;

#[derive(Serialize, Deserialize)]
struct Reading {
    id: String,
    place: String,
    value: f64,
}

/// Sends records until the app fails, and says how much more is allocated then than before.
async fn filled(app: App, config: &Config, topic: &str, id: impl Fn(usize) -> String) -> usize {
    let raw = Raw::new(config);
    let app = start(app).await;
    let before = ALLOCATOR.allocated();
    let mut most = before;
    let mut failed = Box::pin(app.failed());
    let mut number = 0;
    let error = loop {
        let mut reports = Vec::new();
        for _ in 0..500 {
            let reading = Reading { id: id(number), place: "Rua Augusta".into(), value: 0.5 };
            let record = Record::to(topic).partition(0).value(serde_json::to_vec(&reading).unwrap());
            reports.push(raw.queue(&record));
            number += 1;
        }
        tokio::select! {
            error = &mut failed => break error,
            () = async {
                for report in reports {
                    report.await.unwrap().unwrap();
                }
                // Each is read twice, from its source and from the log. The broker keeps no more than its last 5 MiB, so
                // the app must not be far behind.
                let read = || app.metrics().get(Count::Records) as usize;
                eventually(SOON, || read() + 10_000 > 2 * number).await;
            } => {}
        }
        most = most.max(ALLOCATOR.allocated());
        assert!(number < 1_000_000, "it holds more than it may");
    };
    assert!(matches!(*error, Error::Window { .. }), "{error}");
    assert!(error.to_string().contains("max_open(bytes = 48000000)"), "{error}");
    drop(failed);
    let _ = within(SOON, app.shutdown()).await;
    most - before
}

#[tokio::test(flavor = "multi_thread")]
async fn open_windows_take_no_more_than_they_may() {
    #[reactor(
        window! < readings: "memory.many" by id >,
        tumbling = 1h, grace = 0s, idle = never, max_open(bytes = 48_000_000),
    )]
    fn many(readings: Vec<Reading>) {
        drop(readings);
    }

    #[reactor(
        window! < readings: "memory.large" by id >,
        tumbling = 1h, grace = 0s, idle = never, max_open(bytes = 48_000_000),
    )]
    fn large(readings: Vec<Reading>) {
        drop(readings);
    }

    let config = Config::embedded().unwrap();
    create(&config, &["memory.many", "memory.large"], 1).await;
    // Little in each window, and much in one of them. What the rest of the app takes meanwhile is part of it.
    let app = App::new(unique("many"), config.clone()).reactors(reactors![many]);
    let taken = filled(app, &config, "memory.many", |number| format!("car-{number}")).await;
    println!("many windows: {taken} of {BOUND}");
    assert!(taken < BOUND / 10 * 11, "{taken} bytes where {BOUND} are allowed");
    let app = App::new(unique("large"), config.clone()).reactors(reactors![large]);
    let taken = filled(app, &config, "memory.large", |_| "car".into()).await;
    println!("one window: {taken} of {BOUND}");
    assert!(taken < BOUND / 10 * 11, "{taken} bytes where {BOUND} are allowed");
}
