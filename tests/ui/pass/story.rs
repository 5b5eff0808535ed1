//! The first example of the README.

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Order {
    id: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Report {
    order: u64,
    one: i64,
    two: i64,
}

/// Adds any number of integers.
#[reactor(topic = "story.add")]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

#[reactor(topic = "story.subtract")]
async fn subtract(from: i64, amount: i64) -> i64 {
    from - amount
}

#[reactor(
    topic = "story.sum",
    deps! < one: "story.add"(1, 2, 3); two: "story.subtract"(2) <- cons(one) >
)]
async fn sum(order: Order, one: i64, two: i64) -> Report {
    Report { order: order.id, one, two }
}

#[tokio::test]
async fn a_handler_stays_a_function() {
    let report = sum(Order { id: 1 }, 6, 4).await;
    assert_eq!((report.order, report.one, report.two), (1, 6, 4));
    assert_eq!(add(vec![1, 2]).await + subtract(2, 1).await, 4);
    reactors![add, subtract, sum];
}
