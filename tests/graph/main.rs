//! Graphs that the macros made, evaluated over topics that the test answers.

mod order;
mod services;

use fusion::{Code, Reactor, prelude::*};
use fusion_runtime::{__private::Calls, reactor::HandIns};
use serde_json::json;
use services::Services;

/// The topics, served by [`Services`].
pub mod topics {
    use fusion::prelude::*;

    /// Adds any number of integers.
    #[contract(topic = "add")]
    pub fn add(numbers: Vec<i64>) -> i64;

    /// Subtracts.
    #[contract(topic = "subtract")]
    pub fn subtract(from: i64, amount: i64) -> i64;

    /// Negates.
    #[contract(topic = "negate")]
    pub fn negate(number: i64) -> i64;

    /// Even or odd.
    #[contract(topic = "is_even")]
    pub fn is_even(number: i64) -> bool;

    /// Greets, as often as is said.
    #[contract(topic = "greet")]
    pub fn greet(name: String, times: Option<i64>) -> String;

    /// Answers nothing.
    #[contract(topic = "touch")]
    pub fn touch() -> ();
}

#[derive(Clone, serde::Deserialize, serde::Serialize)]
struct Order {
    name: String,
    amount: i64,
    express: bool,
    items: Vec<i64>,
}

fn order() -> Order {
    Order { name: "bo".into(), amount: 7, express: true, items: vec![10, 20] }
}

#[derive(serde::Deserialize)]
struct Numbers(Vec<i64>);

/// Runs a reactor as the app would.
async fn run<R: Reactor<HandIns = Calls<()>>>(
    payload: R::Payload,
    caller: fusion_runtime::dag::Caller,
) -> Result<R::Value, Failure> {
    const { assert!(R::HandIns::CALLS) };
    R::run(payload, Calls(caller, ())).await
}

/// From (9, ) and 8 to (16, 9).
fn twice(args: (i64,), answer: i64) -> (i64, i64) {
    (answer * 2, args.0)
}

#[reactor(
    topic = "everything",
    deps! <
        one: "add"(1, order.amount) else 0;
        hi: "greet"(order.name) if order.express && one > 5;
        all: "add"(item, one) for item in order.items;
        two: "subtract"(2) <- cons(one);
        four: "subtract"(9) <- twice(one);
        late: "negate"(1) after four within 5s retry 2;
        spread: topics::add(..all) <- four;
        odd: "is_even"(spread) -> bool;
        none: "greet"(order.name, 2) if !order.express;
        some: "greet"("x") if !order.express else order.name.clone();
        each: "negate"(n) if odd for n in 0..order.amount
    >
)]
#[allow(clippy::too_many_arguments)]
async fn everything(
    order: Order,
    one: i64,
    hi: Option<String>,
    all: Vec<Answer<i64>>,
    two: Result<i64, CallError>,
    four: Answer<i64>,
    late: i64,
    none: Option<String>,
    some: String,
    each: Option<Vec<i64>>,
    odd: bool,
) -> String {
    let all: Vec<_> = all
        .iter()
        .map(|answer| format!("{}={}", answer.sent.as_ref().unwrap().arguments(), answer.value))
        .collect();
    let two = two.map_err(|error| error.code().to_string());
    let four = format!("{}={}", four.sent.as_ref().unwrap().arguments(), four.value);
    format!("{} {one} {hi:?} {all:?} {two:?} {four} {late} {none:?} {some} {odd} {each:?}", order.name)
}

#[tokio::test(start_paused = true)]
async fn every_construct() {
    let (caller, services) = Services::default().caller();
    let text = run::<everything>((order(),), caller).await.unwrap();
    let expected = r#"bo 8 Some("hello bo") ["[10,8]=18", "[20,8]=28"] Ok(6) [16,9]=7 -1 None bo false None"#;
    assert_eq!(text, expected);
    assert_eq!(services.asked_of("subtract"), [json!([8, 2]), json!([16, 9])]);
    assert_eq!(services.asked_of("is_even"), [json!(53)]);
    assert_eq!(services.asked_of("add").last(), Some(&json!([18, 28, 7])));
}

#[tokio::test(start_paused = true)]
async fn a_result_takes_a_failure_and_else_replaces_one() {
    let mut order = order();
    order.amount = 3;
    let (caller, services) = Services::default().failing("add", 1).caller();
    let text = run::<everything>((order,), caller).await.unwrap();
    // `one` is 0, so `hi` has a false condition, and `four` is 0 * 2 - 9.
    assert_eq!(text, r#"bo 0 None ["[10,0]=10", "[20,0]=20"] Ok(-2) [0,9]=-9 -1 None bo false None"#);
    assert_eq!(services.asked_of("greet"), [] as [serde_json::Value; 0]);

    let (caller, _) = Services::default().failing("subtract", 2).caller();
    let failure = run::<everything>((self::order(),), caller).await.unwrap_err();
    assert_eq!(failure.code(), &Code::Dependency);
    assert_eq!(failure.message(), "node `four` asked `subtract`: broken (handler)");
}

#[tokio::test(start_paused = true)]
async fn retry_repeats_what_may_be_repeated() {
    let (caller, services) = Services::default().failing("negate", 2).caller();
    let text = run::<everything>((order(),), caller).await.unwrap();
    assert!(text.contains(" -1 "), "{text}");
    assert_eq!(services.asked_of("negate").len(), 3);

    let (caller, services) = Services::default().failing("negate", 3).caller();
    assert!(run::<everything>((order(),), caller).await.is_err());
    assert_eq!(services.asked_of("negate").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn within_bounds_a_node() {
    #[reactor(topic = "bounded", deps! < one: "add"(1) within 250ms retry 1 >)]
    async fn bounded(one: Result<i64, CallError>) -> String {
        one.unwrap_err().code().to_string()
    }
    let (caller, services) = Services::default().holding().caller();
    let start = tokio::time::Instant::now();
    assert_eq!(run::<bounded>((), caller).await.unwrap(), "timeout");
    assert_eq!(start.elapsed().as_millis(), 250);
    assert_eq!(services.asked_of("add").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn else_is_for_each_item() {
    #[reactor(topic = "each_or", deps! < all: "negate"(item) for item in items.0 else item * 100 >)]
    fn each_or(#[payload] items: Numbers, all: Vec<i64>) -> Vec<i64> {
        assert_eq!(items.0.len(), all.len());
        all
    }
    let (caller, _) = Services::default().failing("negate", 1).caller();
    assert_eq!(run::<each_or>((Numbers(vec![1, 2, 3]),), caller).await.unwrap(), [100, -2, -3]);
}

#[tokio::test(start_paused = true)]
async fn expressions_borrow_their_surroundings() {
    let order = order();
    let (caller, services) = Services::default().caller();
    let slice: &[i64] = &order.items;
    let graph = deps! {
        one: "add"(1, 2, 3);
        two: topics::subtract(2) <- cons(one);
        all: "negate"(item + two) for item in slice else -*item;
        text: "greet"(format!("{one} {}", order.name));
        done: "touch"() after all
    };
    let answers = ask(graph, caller).await.unwrap();
    assert_eq!((answers.one, answers.two, answers.all, answers.done), (6, 4, vec![-14, -24], ()));
    assert_eq!(answers.text, "hello 6 bo");
    assert_eq!(order.items.len(), 2);
    assert_eq!(services.asked_of("touch"), [json!(null)]);
}

/// As `Pipeline::run` does.
async fn ask<F, G, T>(graph: F, caller: fusion_runtime::dag::Caller) -> Result<T, CallError>
where
    F: FnOnce(fusion_runtime::dag::Caller) -> G,
    G: Future<Output = Result<T, CallError>> + Send,
{
    graph(caller).await
}
