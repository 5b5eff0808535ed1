//! fusion's side: reactors that await nothing, requests, and graphs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fusion::prelude::*;
use rdkafka::consumer::BaseConsumer;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Result;
use crate::load::{Load, ORDERS, Order, PATIENCE, member};
use crate::raw_ask::QUESTION;
use crate::report::{Clock, Measure, latencies};

/// Asked and thrown away before the clock starts, as on the raw side.
const WARM_UP: u64 = 200;

/// How far a run has come. There is one at a time, and a handler knows nothing but its record.
static SEEN: AtomicU64 = AtomicU64::new(0);
static GOAL: AtomicU64 = AtomicU64::new(0);
static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);
static DONE: Notify = Notify::const_new();

#[reactor(topic = "bench.orders")]
fn orders(order: Order) {
    std::hint::black_box(&order);
    let seen = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
    if seen == 1 {
        *CLOCK.lock().expect("no panic here") = Some(Clock::start());
    }
    if seen == GOAL.load(Ordering::Relaxed) {
        DONE.notify_one();
    }
}

#[reactor(topic = "bench.add")]
fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Reads the whole load with a reactor that awaits nothing.
pub(crate) fn consume(load: &Load) -> Result<Measure> {
    assert_eq!(load.topic.name, ORDERS);
    let group = format!("bench-{}", uuid::Uuid::new_v4());
    SEEN.store(0, Ordering::Relaxed);
    GOAL.store(load.messages, Ordering::Relaxed);
    let measure = runtime()?.block_on(async {
        // As much fetched ahead as on the other sides.
        let config = Config::new(&*load.topic.brokers)
            .set("broker.address.family", "v4")
            .consumer_set("queued.min.messages", "1000000");
        let app = App::new(&*group, config).reactors(reactors![orders]).start().await?;
        let patience = PATIENCE + Duration::from_micros(100) * load.messages as u32;
        tokio::time::timeout(patience, DONE.notified())
            .await
            .map_err(|_| format!("not done after {patience:?}"))?;
        let clock = CLOCK.lock().expect("no panic here").take().ok_or("an empty load")?;
        let measure = clock.stop(load.messages);
        app.shutdown().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(measure)
    })?;
    let consumer: BaseConsumer = member(&load.topic.brokers).set("group.id", &group).create()?;
    load.expect_committed(&consumer)?;
    Ok(measure)
}

/// Asks `requests` times, keeping `in_flight` of them open.
pub(crate) fn ask(brokers: &str, requests: u64, in_flight: u64) -> Result<Measure> {
    runtime()?.block_on(async {
        let config = Config::new(brokers).set("broker.address.family", "v4");
        let group = format!("bench-{}", uuid::Uuid::new_v4());
        // What earlier runs asked is nobody's business any more.
        let app = App::new(group, config.clone().start(fusion::Start::Latest))
            .reactors(reactors![add])
            .start()
            .await?;
        app.assigned().await;
        let pipeline = Pipeline::connect("bench", config).await?;
        // From a task: `block_on`'s own thread is not one of the runtime's workers.
        let asking = pipeline.clone();
        let measure = tokio::spawn(async move {
            ask_all(&asking, WARM_UP, in_flight).await?;
            let clock = Clock::start();
            let took = ask_all(&asking, requests, in_flight).await?;
            let mut answered = latencies();
            for one in took {
                answered.record(one.as_nanos() as u64)?;
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(clock.stop_with(requests, answered))
        })
        .await??;
        pipeline.close().await?;
        app.shutdown().await?;
        Ok(measure)
    })
}

async fn ask_all(pipeline: &Pipeline, requests: u64, in_flight: u64) -> Result<Vec<Duration>> {
    if in_flight == 1 {
        return ask_in_turn(pipeline, requests).await;
    }
    let mut callers = JoinSet::new();
    for caller in 0..in_flight {
        let pipeline = pipeline.clone();
        let share = requests / in_flight + u64::from(caller < requests % in_flight);
        callers.spawn(async move { ask_in_turn(&pipeline, share).await });
    }
    let mut took = Vec::new();
    while let Some(shares) = callers.join_next().await {
        took.extend(shares??);
    }
    Ok(took)
}

async fn ask_in_turn(pipeline: &Pipeline, requests: u64) -> Result<Vec<Duration>> {
    let mut took = Vec::with_capacity(requests as usize);
    for _ in 0..requests {
        let started = Instant::now();
        let sum = pipeline.ask::<add>((QUESTION[0], QUESTION[1])).await?;
        took.push(started.elapsed());
        if sum != QUESTION.iter().sum::<i64>() {
            return Err(format!("the reply was {sum}").into());
        }
    }
    Ok(took)
}
