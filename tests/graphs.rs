//! Graphs over real topics: what is asked, when it leaves, and what becomes of a node that fails.

mod common;

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use common::{SOON, Tail, cluster, create, eventually, start, within};
use fusion::{Code, Contract, Count, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Barrier, Notify};

#[reactor(topic = "graphs.add")]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

#[reactor(topic = "graphs.subtract", retry = 0)]
fn subtract(from: i64, amount: i64) -> Result<i64, String> {
    if amount == 13 { Err("unlucky".into()) } else { Ok(from - amount) }
}

#[reactor(topic = "graphs.greet")]
async fn greet(name: String, times: Option<usize>) -> String {
    format!("hello {name} ").repeat(times.unwrap_or(1)).trim_end().to_owned()
}

mod readme {
    use super::*;

    #[reactor(topic = "graphs.readme.add")]
    pub(crate) async fn add(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }

    #[reactor(topic = "graphs.readme.subtract")]
    pub(crate) async fn subtract(from: i64, amount: i64) -> i64 {
        from - amount
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Report {
        pub(crate) order: u64,
        pub(crate) one: i64,
        pub(crate) two: i64,
    }

    #[reactor(
        topic = "graphs.sum",
        deps! < one: "graphs.readme.add"(1, 2, 3); two: "graphs.readme.subtract"(2) <- cons(one) >
    )]
    pub(crate) async fn sum(order: u64, one: i64, two: i64) -> Report {
        Report { order, one, two }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_the_readme() {
    use readme::{Report, add, subtract, sum};
    let config = cluster();
    let app = start(App::new("graphs.readme", config.clone()).reactors(reactors![add, subtract, sum])).await;
    let pipeline = Pipeline::connect("readme", config).await.unwrap();
    let report = pipeline.ask::<sum>((7,)).await.unwrap();
    assert_eq!(report, Report { order: 7, one: 6, two: 4 });

    let answers = pipeline.run(deps! { one: add(1, 2, 3); two: subtract(2) <- cons(one) });
    let answers = answers.await.unwrap();
    assert_eq!((answers.one, answers.two), (6, 4));
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    name: String,
    amount: i64,
    express: bool,
    items: Vec<i64>,
}

fn twice(args: (i64,), answer: i64) -> (i64, i64) {
    (answer * 2, args.0)
}

#[reactor(
    topic = "graphs.everything",
    deps! <
        one: "graphs.add"(1, order.amount);
        hi: "graphs.greet"(order.name) if order.express && one > 5;
        all: "graphs.add"(item, one) for item in order.items;
        four: "graphs.subtract"(9) <- twice(one);
        spread: add(..all) <- four;
        unlucky: "graphs.subtract"(one, 13);
        saved: "graphs.subtract"(spread, 13) else spread * 2;
        some: "graphs.greet"("x") if !order.express else order.name.clone();
        each: "graphs.subtract"(20, n) for n in 12..15 else -n;
        late: "graphs.greet"(format!("{saved}"), 2) after each within 5s retry 2;
        foreign: "graphs.add"(1, 1) -> i64
    >
)]
#[allow(clippy::too_many_arguments)]
async fn everything(
    order: Order,
    one: i64,
    hi: Option<String>,
    all: Vec<Answer<i64>>,
    four: Answer<i64>,
    unlucky: Result<i64, CallError>,
    saved: Answer<i64>,
    some: String,
    each: Vec<i64>,
    late: String,
    foreign: i64,
) -> String {
    let all: Vec<_> =
        all.iter().map(|one| format!("{}={}", one.sent.as_ref().unwrap().arguments(), one.value)).collect();
    let sent = four.sent.as_ref().unwrap();
    assert_eq!((sent.topic, sent.offset >= 0), ("graphs.subtract", true));
    let four = format!("{}={}", sent.arguments(), four.value);
    let unlucky = unlucky.map_err(|error| format!("{} {}", error.code(), error.message()));
    let saved = (saved.value, saved.sent.is_none());
    format!(
        "{} {one} {hi:?} {all:?} {four} {unlucky:?} {saved:?} {some} {each:?} {late} {foreign}",
        order.name
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_clause_of_the_language() {
    let config = cluster();
    let services = App::new("graphs.services", config.clone()).reactors(reactors![add, subtract, greet]);
    let services = start(services).await;
    let app = start(App::new("graphs.everything", config.clone()).reactors(reactors![everything])).await;
    let pipeline = Pipeline::connect("everything", config).await.unwrap();
    let order = Order { name: "bo".into(), amount: 7, express: true, items: vec![10, 20] };
    let answer = pipeline.ask::<everything>((&order,)).await.unwrap();
    let expected = r#"bo 8 Some("hello bo") ["[10,8]=18", "[20,8]=28"] [16,9]=7 Err("handler unlucky") (106, true) bo [8, -13, 6] hello 106 hello 106 2"#;
    assert_eq!(answer, expected);
    let order = Order { amount: 1, express: false, items: vec![], ..order };
    let answer = pipeline.ask::<everything>((order,)).await.unwrap();
    let expected = r#"bo 2 None [] [4,9]=-5 Err("handler unlucky") (-10, true) hello x [8, -13, 6] hello -10 hello -10 2"#;
    assert_eq!(answer, expected);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
    services.shutdown().await.unwrap();
}

/// Handlers that wait for each other: a graph that asks one after the other never ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_the_moment_its_inputs_are_there() {
    struct Gates {
        three: Barrier,
        last: Notify,
    }
    /// Three of these must be in work at the same time.
    #[reactor(topic = "graphs.meet")]
    async fn meet(number: i64, gates: State<Gates>) -> i64 {
        gates.three.wait().await;
        number
    }
    #[reactor(topic = "graphs.slow")]
    async fn slow(gates: State<Gates>) -> String {
        gates.last.notified().await;
        "slow".to_owned()
    }
    /// It depends on what is quick, and lets `slow` go: as a wave behind both it would never be asked.
    #[reactor(topic = "graphs.behind")]
    async fn behind(number: i64, gates: State<Gates>) -> i64 {
        gates.last.notify_one();
        number
    }
    #[reactor(
        topic = "graphs.parallel",
        within = 10s,
        deps! <
            slow: "graphs.slow"() -> String;
            one: "graphs.meet"(1);
            more: "graphs.meet"(n) for n in 2..4;
            last: "graphs.behind"(one)
        >
    )]
    async fn parallel(slow: String, one: i64, more: Vec<i64>, last: i64) -> (String, i64, Vec<i64>, i64) {
        (slow, one, more, last)
    }

    let config = cluster();
    let gates = Gates { three: Barrier::new(3), last: Notify::new() };
    let app = App::new("graphs.parallel", config.clone()).state(gates);
    let app = start(app.reactors(reactors![meet, slow, behind, parallel])).await;
    let pipeline = Pipeline::connect("parallel", config).await.unwrap();
    let answer = within(SOON, pipeline.ask::<parallel>(()).into_future()).await.unwrap();
    assert_eq!(answer, ("slow".to_owned(), 1, vec![2, 3], 1));
    assert_eq!(app.metrics().get(Count::Retries), 0);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_fails_fails_the_handler_and_ends_the_rest() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    #[reactor(topic = "graphs.unlucky", retry = 0)]
    fn unlucky(number: i64) -> Result<i64, String> {
        Err(format!("unlucky {number}"))
    }
    #[reactor(topic = "graphs.next")]
    async fn next(number: i64, more: Option<i64>) -> i64 {
        number + more.unwrap_or(0)
    }
    #[reactor(topic = "graphs.never")]
    async fn never() -> () {
        std::future::pending().await
    }
    #[reactor(
        topic = "graphs.fails",
        retry = 0,
        deps! < bad: "graphs.unlucky"(13); next: "graphs.next"(1) <- bad; never: "graphs.never"() >
    )]
    async fn fails(number: i64, next: i64) -> i64 {
        RAN.fetch_add(1, SeqCst);
        number + next
    }
    let config = cluster();
    // Those who asked are gone, but `never` runs on; the end does not wait for it.
    let app = App::new("graphs.fails", config.clone().stop_limit(Duration::from_secs(1)));
    let app = start(app.reactors(reactors![fails, unlucky, next, never])).await;
    let pipeline = Pipeline::connect("fails", config).await.unwrap();
    // `never` would hold it up until the reactor's own 30 seconds.
    let error = within(SOON, pipeline.ask::<fails>((1,)).into_future()).await.unwrap_err();
    assert_eq!((error.code(), error.topic()), (&Code::Dependency, "graphs.fails"));
    assert_eq!(error.message(), "node `bad` asked `graphs.unlucky`: unlucky 13 (handler)");
    assert_eq!(RAN.load(SeqCst), 0);
    // `next` was not asked: a request of ours is its first.
    let mut asked = app.results::<next>();
    assert_eq!(pipeline.ask_value("graphs.next", json!([7])).await.unwrap(), 7);
    assert_eq!(within(SOON, asked.next()).await.unwrap().unwrap().value, 7);
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Requests), metrics.get(Count::Failed)), (2, 2));

    // In a pipeline the failure is the result, with the node's name.
    let error = pipeline.run(deps! { bad: "graphs.unlucky"(1); next: "graphs.next"(1) <- bad }).await;
    let error = error.err().unwrap();
    assert_eq!((error.node(), error.topic(), error.code()), (Some("bad"), "graphs.unlucky", &Code::Handler));
    let nobody = deps! { next: "graphs.next"(1); nobody: "graphs.nobody"(1) -> i64 within 20ms };
    let error = pipeline.run_within(SOON, nobody).await.err().unwrap();
    assert_eq!((error.node(), error.code()), (Some("nobody"), &Code::Timeout));
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_repeated_does_not_ask_again() {
    #[derive(Default)]
    struct Runs(AtomicUsize);
    #[reactor(
        topic = "graphs.repeated",
        retry = 3,
        deps! <
            one: "graphs.once"(number);
            all: "graphs.once"(n) for n in 0..3;
            flaky: "graphs.flaky"(number) after one, all
        >
    )]
    async fn repeated(number: i64, one: i64, all: Vec<i64>, flaky: i64, cx: Context) -> Result<i64, String> {
        match cx.attempt() {
            attempt @ 1..=2 => Err(format!("attempt {attempt}")),
            _ => Ok(number + one + all.iter().sum::<i64>() + flaky),
        }
    }
    #[reactor(topic = "graphs.once")]
    async fn once(number: i64) -> i64 {
        number
    }
    /// Fails for the first time.
    #[reactor(topic = "graphs.flaky", retry = 0)]
    async fn flaky(number: i64, runs: State<Runs>) -> Result<i64, String> {
        if runs.0.fetch_add(1, SeqCst) == 0 { Err("not yet".into()) } else { Ok(number) }
    }
    let config = cluster();
    let app = App::new("graphs.repeated", config.clone()).state(Runs::default());
    let app = start(app.reactors(reactors![once, flaky, repeated])).await;
    let mut once_asked = app.results::<once>();
    let pipeline = Pipeline::connect("repeated", config).await.unwrap();
    assert_eq!(pipeline.ask_value("graphs.repeated", json!(5)).await.unwrap(), 18);
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(within(SOON, once_asked.next()).await.unwrap().unwrap().value);
    }
    asked.sort_unstable();
    assert_eq!(asked, [0, 1, 2, 5]);
    let metrics = app.metrics();
    // Four to `once`, two to `flaky`; the first run failed in the graph, the two behind it in the handler.
    assert_eq!((metrics.get(Count::Requests), metrics.get(Count::Retries)), (6, 2));
    eventually(SOON, || app.metrics().get(Count::Replies) == 7).await;
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// Without that each of them would be a batch of its own. A fan may fall on the moment at which the partition changes, so
/// it is enough that one of some does not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_at_once_without_keys_goes_to_one_partition() {
    #[contract(topic = "graphs.fan")]
    fn fan(number: i64) -> i64;
    let config = cluster();
    create(&config, &[fan::TOPIC], 4).await;
    let mut requests = Tail::at_end(&config, fan::TOPIC).await;
    let pipeline = Pipeline::connect("fan", config).await.unwrap();
    let mut alone = false;
    for _ in 0..20 {
        let asking = pipeline.clone();
        let asked = tokio::spawn(async move {
            asking
                .run(deps! {
                    a: fan(1); b: fan(2); c: fan(3); d: fan(4); e: fan(5); f: fan(6); g: fan(7); h: fan(8); i: fan(9);
                    j: fan(10)
                })
                .await
                .map(|answers| answers.j)
        });
        let requests = requests.take(10).await;
        asked.abort();
        alone |= requests.iter().all(|request| request.partition == requests[0].partition);
    }
    assert!(alone, "every fan went to several partitions");
    pipeline.close().await.unwrap();
}
