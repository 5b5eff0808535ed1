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

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
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

/// A graph of ten nodes.
#[derive(Clone, Copy)]
pub(crate) enum Graph {
    /// Each asks with the answer of the one before.
    Chain,
    /// All ask at once.
    Fan,
}

/// Runs graphs one after another. Latencies and messages are of graphs.
pub(crate) fn graphs(brokers: &str, graphs: u64, graph: Graph) -> Result<Measure> {
    served(brokers, async move |pipeline| {
        for _ in 0..WARM_UP / 4 {
            run(&pipeline, graph).await?;
        }
        let mut took = latencies();
        let clock = Clock::start();
        for _ in 0..graphs {
            let started = Instant::now();
            let last = run(&pipeline, graph).await?;
            took.record(started.elapsed().as_nanos() as u64)?;
            if last != QUESTION.iter().sum::<i64>() {
                return Err(format!("the last node answered {last}").into());
            }
        }
        Ok(clock.stop_with(graphs, took))
    })
}

async fn run(pipeline: &Pipeline, graph: Graph) -> Result<i64> {
    let [first, second] = QUESTION;
    Ok(match graph {
        Graph::Chain => {
            let answers = pipeline.run(deps! {
                a: "bench.add"(first, second);
                b: "bench.add"(0) <- cons(a);
                c: "bench.add"(0) <- cons(b);
                d: "bench.add"(0) <- cons(c);
                e: "bench.add"(0) <- cons(d);
                f: "bench.add"(0) <- cons(e);
                g: "bench.add"(0) <- cons(f);
                h: "bench.add"(0) <- cons(g);
                i: "bench.add"(0) <- cons(h);
                j: "bench.add"(0) <- cons(i)
            });
            answers.await?.j
        }
        Graph::Fan => {
            let answers = pipeline.run(deps! {
                a: "bench.add"(first, second);
                b: "bench.add"(first, second);
                c: "bench.add"(first, second);
                d: "bench.add"(first, second);
                e: "bench.add"(first, second);
                f: "bench.add"(first, second);
                g: "bench.add"(first, second);
                h: "bench.add"(first, second);
                i: "bench.add"(first, second);
                j: "bench.add"(first, second)
            });
            answers.await?.j
        }
    })
}

/// Asks `requests` times, keeping `in_flight` of them open.
pub(crate) fn ask(brokers: &str, requests: u64, in_flight: u64) -> Result<Measure> {
    served(brokers, async move |pipeline| {
        ask_all(&pipeline, WARM_UP, in_flight).await?;
        let clock = Clock::start();
        let took = ask_all(&pipeline, requests, in_flight).await?;
        let mut answered = latencies();
        for one in took {
            answered.record(one.as_nanos() as u64)?;
        }
        Ok(clock.stop_with(requests, answered))
    })
}

/// Runs `asking` beside an app that serves what it asks.
fn served<F, A>(brokers: &str, asking: F) -> Result<Measure>
where
    F: FnOnce(Pipeline) -> A,
    A: Future<Output = Result<Measure>> + Send + 'static,
{
    runtime()?.block_on(async {
        let config = Config::new(brokers).set("broker.address.family", "v4");
        let group = format!("bench-{}", uuid::Uuid::new_v4());
        // What earlier runs asked is nobody's business any more.
        let latest = config.clone().start(fusion::Start::Latest);
        let app = App::new(group, latest).reactors(reactors![add]).start().await?;
        app.assigned().await;
        let pipeline = Pipeline::connect("bench", config).await?;
        // As a task: `block_on`'s own thread is not one of the runtime's workers.
        let measure = tokio::spawn(asking(pipeline.clone())).await??;
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
