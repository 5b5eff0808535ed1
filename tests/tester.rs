//! Reactors and graphs without a broker.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::time::Duration;

use fusion::{Code, prelude::*, testing::Tester};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    items: Vec<u64>,
}

mod services {
    use fusion::prelude::*;

    #[contract(topic = "add")]
    pub fn add(numbers: Vec<i64>) -> i64;
    #[contract(topic = "price")]
    pub fn price(article: u64) -> u64;
    #[contract(topic = "stock")]
    pub fn stock(article: u64, place: Option<String>) -> u64;
    #[contract(topic = "old", envelope = json)]
    pub fn old(text: String) -> String;
    #[contract(topic = "ping")]
    pub fn ping() -> String;
}
use services::{add, old, ping, price, stock};

#[reactor(
    topic = "total",
    deps! <
        prices: price(*item) for item in order.items;
        sum: add(..prices.iter().map(|price| *price as i64)) within 1s retry 1
    >
)]
async fn total(order: Order, prices: Vec<u64>, sum: i64) -> (u64, usize, i64) {
    (order.id, prices.len(), sum)
}

fn order() -> Order {
    Order { id: 9, items: vec![1, 2, 3] }
}

#[tokio::test]
async fn a_graph_is_answered_by_closures() {
    let tester = Tester::new().answer::<price>(|article| article * 10).answer::<add>(|all| all.iter().sum());
    assert_eq!(tester.run::<total>((order(),)).await.unwrap(), (9, 3, 60));
    let mut articles = tester.asked::<price>();
    articles.sort_unstable();
    assert_eq!(articles, [1, 2, 3]);
    assert_eq!(tester.asked::<add>(), [[10, 20, 30]]);
}

#[tokio::test]
async fn arguments_arrive_in_every_form() {
    let tester = Tester::new()
        .answer::<stock>(|(article, place)| article + place.map_or(0, |place| place.len() as u64))
        .answer::<old>(|text| text.to_uppercase())
        .answer::<ping>(|()| "pong".to_owned());
    let asked = tester.run_graph(deps! {
        all: stock(1, "four".to_owned());
        some: stock(1);
        old: old("a");
        ping: ping()
    });
    let asked = asked.await.unwrap();
    assert_eq!((asked.all, asked.some, &*asked.old, &*asked.ping), (5, 1, "A", "pong"));
    assert_eq!(tester.asked::<stock>(), [(1, Some("four".to_owned())), (1, None)]);
    assert_eq!(tester.asked::<old>(), ["a"]);
}

#[tokio::test]
async fn a_failure_is_retried_as_the_graph_says() {
    let mut times = 0;
    let tester = Tester::new().answer::<price>(|_| 5).try_answer::<add>(move |all| {
        times += 1;
        if times == 1 { Err(Failure::new("busy", "not now")) } else { Ok(all.iter().sum()) }
    });
    assert_eq!(tester.run::<total>((order(),)).await.unwrap().2, 15);
    assert_eq!(tester.asked::<add>().len(), 2);

    let refused = Tester::new().answer::<price>(|_| 5);
    let refused = refused.try_answer::<add>(|_| Err(Failure::new("closed", "for ever").not_retryable()));
    let failure = refused.run::<total>((order(),)).await.unwrap_err();
    assert_eq!((failure.code(), failure.is_retryable()), (&Code::Dependency, false));
    assert!(failure.message().contains("node `sum` asked `add`: for ever (closed)"), "{failure:?}");
    assert_eq!(refused.asked::<add>().len(), 1);
}

#[tokio::test]
async fn what_nobody_answers_is_named() {
    let failure = Tester::new().run::<total>((order(),)).await.unwrap_err();
    assert!(failure.message().contains("nothing answers this topic in this test"), "{failure:?}");
    assert!(failure.message().contains("`price`"), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_until_the_time_is_over() {
    let tester = Tester::new().answer::<price>(|_| 5).silence::<add>();
    let began = Instant::now();
    let failure = tester.run::<total>((order(),)).await.unwrap_err();
    assert!(failure.message().contains("timeout"), "{failure:?}");
    assert_eq!(began.elapsed().as_millis() / 100, 10, "two attempts within a second");
    assert_eq!(tester.asked::<add>().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_end_is_given_up() {
    #[reactor(topic = "endless", within = 3s)]
    async fn endless() {
        std::future::pending().await
    }
    let began = Instant::now();
    let failure = Tester::new().run::<endless>(()).await.unwrap_err();
    assert_eq!((failure.code(), began.elapsed().as_secs()), (&Code::Timeout, 3));
    let sooner = Tester::new().run::<endless>(()).within(Duration::from_secs(1)).await;
    assert_eq!((sooner.unwrap_err().code(), began.elapsed().as_secs()), (&Code::Timeout, 4));
}

#[reactor(topic = "real_stock", deps! < base: price(article) >)]
async fn real_stock_of(article: u64, base: u64, asked: State<AtomicUsize>, cx: Context) -> u64 {
    asked.fetch_add(cx.hops() as usize, SeqCst);
    base + article
}

#[tokio::test]
async fn reactors_answer_each_other() {
    #[reactor(topic = "double", deps! < stock: real_stock_of(article) >)]
    async fn double(article: u64, stock: u64) -> u64 {
        stock * article
    }
    let tester = Tester::new()
        .serve::<real_stock_of>()
        .serve::<double>()
        .answer::<price>(|article| article * 100)
        .state(AtomicUsize::new(0));
    assert_eq!(tester.run::<double>((2,)).hops(4).await.unwrap(), 404);
    let answers = tester.run_graph(deps! { four: double(4) }).await.unwrap();
    assert_eq!(answers.four, 4 * 404);
    assert_eq!(tester.asked::<price>(), [2, 4]);
}

#[tokio::test]
async fn a_reactor_that_panics_answers_an_error() {
    #[reactor(topic = "broken")]
    fn broken() -> u64 {
        panic!("out of order")
    }
    let failed = Tester::new().serve::<broken>().run_graph(deps! { one: broken() }).await;
    let error = failed.map(|answers| answers.one).unwrap_err();
    assert_eq!((error.code(), error.topic()), (&Code::Panic, "broken"));
}

#[tokio::test]
async fn an_answer_knows_its_request() {
    #[reactor(topic = "asks", deps! < first: price(1); second: price(2) after first >)]
    async fn asks(first: Answer<u64>, second: Answer<u64>) -> Vec<(i64, serde_json::Value)> {
        [first, second].iter().flat_map(|a| &a.sent).map(|sent| (sent.offset, sent.arguments())).collect()
    }
    let tester = Tester::new().answer::<price>(|_| 1);
    assert_eq!(tester.run::<asks>(()).await.unwrap(), [(0, json!(1)), (1, json!(2))]);
}

#[tokio::test]
async fn bad_inputs_are_the_failures_they_would_be() {
    #[reactor(topic = "keyed")]
    fn keyed(key: Key<u64>, missing: State<String>) -> String {
        format!("{}{}", *key, *missing)
    }
    let tester = Tester::new();
    assert_eq!(tester.run::<keyed>(()).await.unwrap_err().code(), &Code::Decode);
    let failure = tester.run::<keyed>(()).key(&1_u64).await.unwrap_err();
    assert_eq!(failure.message(), "the app provides no `alloc::string::String`");
    let provided = tester.state("!".to_owned());
    assert_eq!(provided.run::<keyed>(()).key(&1_u64).await.unwrap(), "1!");
}

#[tokio::test]
async fn testers_of_one_origin_part_with_their_answers_only() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = calls.clone();
    let one = Tester::new().answer::<ping>(move |()| counting.fetch_add(1, SeqCst).to_string());
    let two = one.clone().answer::<price>(|_| 1);
    one.run_graph(deps! { ping: ping() }).await.unwrap();
    two.run_graph(deps! { ping: ping() }).await.unwrap();
    assert_eq!((calls.load(SeqCst), one.asked::<ping>().len()), (2, 2));
    assert!(one.run_graph(deps! { price: price(1) }).await.is_err());
}
