//! Requests and their answers: every shape of arguments and of outcomes, and many at once.

mod common;

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use common::{SOON, cluster, create, eventually, start, within};
use fusion::{Code, Contract, Count, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    items: Vec<String>,
}

#[reactor(topic = "requests.add")]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

#[reactor(topic = "requests.subtract")]
fn subtract(from: i64, amount: i64) -> i64 {
    from - amount
}

#[reactor(topic = "requests.greet")]
async fn greet(name: String, times: Option<usize>, end: Option<String>) -> String {
    format!("{name}{}", end.unwrap_or(".".into())).repeat(times.unwrap_or(1))
}

#[reactor(topic = "requests.order")]
async fn order(mut order: Order) -> Order {
    order.items.reverse();
    order
}

#[reactor(topic = "requests.maybe")]
fn maybe(number: Option<i64>) -> Option<i64> {
    number.map(|number| number + 1)
}

#[reactor(topic = "requests.touch")]
async fn touch() -> () {}

#[reactor(topic = "requests.event")]
async fn event(text: String) {
    drop(text);
}

#[reactor(topic = "requests.divide", retry = 0)]
fn divide(number: i64, by: i64) -> Result<i64, String> {
    number.checked_div(by).ok_or_else(|| format!("{number} cannot be divided by {by}"))
}

#[reactor(topic = "requests.reserve", retry = 3)]
async fn reserve(article: u64) -> Result<(), Failure> {
    Err(Failure::new("out_of_stock", format!("no {article} left")).not_retryable())
}

/// Everything that asks and answers.
#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_arguments_is_answered() {
    let config = cluster();
    let app = App::new("requests.shapes", config.clone())
        .reactors(reactors![add, subtract, greet, order, maybe, touch, event, divide, reserve]);
    let app = start(app).await;
    let pipeline = Pipeline::connect("shapes", config).await.unwrap();

    assert_eq!(pipeline.ask::<add>((1, 2, 3)).await.unwrap(), 6);
    assert_eq!(pipeline.ask::<add>(()).await.unwrap(), 0);
    assert_eq!(pipeline.ask::<add>((7,)).await.unwrap(), 7);
    assert_eq!(pipeline.ask::<subtract>((9, 2)).await.unwrap(), 7);
    let left_out = deps! { one: "requests.greet"("bo"); two: "requests.greet"("bo", 2) };
    let greetings = pipeline.run(left_out).await.unwrap();
    assert_eq!((&*greetings.one, &*greetings.two), ("bo.", "bo.bo."));
    assert_eq!(pipeline.ask::<greet>(("bo", 2, Some("!".to_owned()))).await.unwrap(), "bo!bo!");
    let two = Order { id: u64::MAX, items: vec!["ä".into(), "\u{0}".into()] };
    let back = Order { items: vec!["\u{0}".into(), "ä".into()], ..two.clone() };
    assert_eq!(pipeline.ask::<order>((&two,)).await.unwrap(), back);
    assert_eq!(pipeline.ask::<maybe>((41,)).await.unwrap(), Some(42));
    assert_eq!(pipeline.ask::<maybe>((None,)).await.unwrap(), None);
    pipeline.ask::<touch>(()).await.unwrap();

    // The same, by name, as the value goes over the wire.
    let ask = |topic, value| pipeline.ask_value(format!("requests.{topic}"), value);
    assert_eq!(ask("add", json!([1, 2, 3])).await.unwrap(), 6);
    assert_eq!(ask("subtract", json!([9, 2])).await.unwrap(), 7);
    assert_eq!(ask("greet", json!(["bo"])).await.unwrap(), "bo.");
    assert_eq!(ask("greet", json!(["bo", null, "?"])).await.unwrap(), "bo?");
    assert_eq!(ask("maybe", json!(null)).await.unwrap(), json!(null));
    assert_eq!(ask("touch", json!({"whatever": 1})).await.unwrap(), json!(null));
    assert_eq!(ask("event", json!("seen")).await.unwrap(), json!(null), "a foreign asker of an event");
    assert_eq!(ask("divide", json!([7, 2])).await.unwrap(), 3);

    let error = pipeline.ask::<divide>((1, 0)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (&Code::Handler, "1 cannot be divided by 0"));
    assert_eq!((error.topic(), error.is_retryable()), ("requests.divide", true));
    let error = pipeline.ask::<reserve>((5,)).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.message()), ("out_of_stock", "no 5 left"));
    assert_eq!((error.topic(), error.is_retryable()), ("requests.reserve", false));
    // As long as the lists are short, and never an answer of a wrong shape.
    for value in [json!([1]), json!([1, 2, 3]), json!("no list"), json!(["a", "b"])] {
        let error = ask("subtract", value.clone()).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (&Code::Decode, false), "{value}");
    }

    let metrics = app.metrics();
    assert_eq!(metrics.get(Count::Undecodable), 4);
    assert_eq!(metrics.get(Count::Retries), 0, "what cannot be retried is not");
    assert_eq!(pipeline.metrics().get(Count::UnknownReplies), 0);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// Counts how many of it are alive.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one(count: &Arc<AtomicUsize>) -> Alive {
        count.fetch_add(1, SeqCst);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_stays_pending_is_dropped_at_its_time() {
    #[reactor(topic = "requests.pending", within = 150ms, retry = 1)]
    async fn stuck(alive: State<Arc<AtomicUsize>>) -> () {
        let _alive = Alive::one(&alive);
        pending().await
    }
    #[reactor(topic = "requests.pending.long", retry = 1)]
    async fn stuck_long(alive: State<Arc<AtomicUsize>>) -> () {
        let _alive = Alive::one(&alive);
        pending().await
    }
    let config = cluster();
    let alive = Arc::new(AtomicUsize::new(0));
    let app = App::new("requests.pending", config.clone()).state(alive.clone());
    let app = start(app.reactors(reactors![stuck, stuck_long])).await;
    let pipeline = Pipeline::connect("pending", config).await.unwrap();

    let error = pipeline.ask::<stuck>(()).await.unwrap_err();
    assert_eq!(error.code(), &Code::Timeout);
    assert!(error.message().contains("`within` of 150ms"), "{}", error.message());
    assert_eq!(alive.load(SeqCst), 0);
    // The caller is told first.
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 1).await;
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::TimedOut), metrics.get(Count::Retries)), (2, 1));
    assert_eq!(metrics.get(Count::Failed), 1);

    // The caller's deadline is shorter than the handler's: the caller gives up, and soon so does the reactor, which
    // neither tries again nor keeps the record.
    let error = pipeline.ask::<stuck_long>(()).within(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!((error.code(), error.topic()), (&Code::Timeout, "requests.pending.long"));
    eventually(SOON, || app.metrics().get(Count::Expired) == 1).await;
    assert_eq!(alive.load(SeqCst), 0);
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Retries), metrics.get(Count::DeadLetters)), (1, 1));

    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_at_once_are_answered_once_each() {
    #[reactor(topic = "requests.many", concurrency = 256)]
    async fn many(number: u32, calls: State<Calls>) -> u32 {
        calls.0.fetch_add(1, SeqCst);
        if number.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
        number * 2
    }
    struct Calls(AtomicUsize);
    const MANY: u32 = 10_000;
    let config = cluster();
    let app = App::new("requests.many", config.clone()).state(Calls(AtomicUsize::new(0)));
    let app = start(app.reactors(reactors![many])).await;
    let pipeline = Pipeline::connect("many", config).await.unwrap();
    let mut asked = JoinSet::new();
    for number in 0..MANY {
        let pipeline = pipeline.clone();
        asked.spawn(async move { (number, pipeline.ask::<many>((number,)).await) });
    }
    let mut answers = BTreeMap::new();
    while let Some(answer) = within(SOON, asked.join_next()).await {
        let (number, answer) = answer.unwrap();
        assert_eq!(answers.insert(number, answer.unwrap()), None);
    }
    assert!(answers.iter().all(|(number, answer)| *answer == number * 2));
    assert_eq!(answers.len(), MANY as usize);
    let (asking, serving) = (pipeline.metrics(), app.metrics());
    assert_eq!((asking.get(Count::Requests), asking.get(Count::UnknownReplies)), (MANY.into(), 0));
    assert_eq!(serving.get(Count::Succeeded), u64::from(MANY));
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// The way back is ready when `connect` returns: a first answer is never lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pipelines_get_their_first_answer() {
    #[reactor(topic = "requests.first")]
    fn first(number: usize) -> usize {
        number + 1
    }
    let config = cluster();
    create(&config, &["requests.first"], 4).await;
    let app = start(App::new("requests.first", config.clone()).reactors(reactors![first])).await;
    let alive = Arc::new(Semaphore::new(32));
    let mut asked = JoinSet::new();
    for number in 0..1000 {
        let (config, alive) = (config.clone(), alive.clone());
        asked.spawn(async move {
            let _alive = alive.acquire().await.unwrap();
            let pipeline = Pipeline::connect("first", config).await.unwrap();
            let answer = pipeline.ask::<first>((number,)).within(SOON).await.unwrap();
            assert_eq!(answer, number + 1);
            pipeline.close().await.unwrap();
        });
    }
    while let Some(answered) = asked.join_next().await {
        answered.unwrap();
    }
    app.shutdown().await.unwrap();
}

/// Replies of one batch leave together, but those of a handler that takes its time do not wait for the next one's.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_does_not_wait_for_a_slow_handler_behind_it() {
    struct Gate(Mutex<mpsc::Receiver<()>>);
    #[reactor(topic = "requests.slow")]
    fn slow(number: u64, gate: State<Gate>) -> u64 {
        if number == 1 {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(2) {
                std::hint::spin_loop();
            }
        } else {
            let _ = gate.0.lock().unwrap().recv();
        }
        number
    }
    let config = cluster();
    create(&config, &[slow::TOPIC], 1).await;
    let (open, gate) = mpsc::channel();
    let pipeline = Pipeline::connect("slow", config.clone()).await.unwrap();
    // Both are there before the app is, so it fetches them together.
    let first = tokio::spawn(pipeline.ask::<slow>((1,)).key(1).into_future());
    let written = || pipeline.metrics().get(Count::Requests);
    eventually(SOON, || written() == 1).await;
    let second = tokio::spawn(pipeline.ask::<slow>((2,)).key(1).into_future());
    eventually(SOON, || written() == 2).await;
    let app = App::new("requests.slow", config).state(Gate(Mutex::new(gate)));
    let app = start(app.reactors(reactors![slow])).await;
    assert_eq!(within(SOON, first).await.unwrap().unwrap(), 1);
    assert!(!second.is_finished());
    open.send(()).unwrap();
    assert_eq!(within(SOON, second).await.unwrap().unwrap(), 2);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}
