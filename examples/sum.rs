//! The story of the README: three reactors, a graph that the compiler has checked, an answer.
//!
//! `cargo run --example sum` runs it on a broker inside this process; with `KAFKA_BOOTSTRAP_SERVERS` set, on that
//! cluster.

use fusion::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    order: u64,
    one: i64,
    two: i64,
}

/// Adds any number of integers.
#[reactor(topic = "add")]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

/// Takes an amount away.
#[reactor(topic = "subtract")]
async fn subtract(from: i64, amount: i64) -> i64 {
    from - amount
}

/// Asks `add`, puts its answer in front of the arguments for `subtract`, and reports both.
#[reactor(
    topic = "sum",
    deps! < one: "add"(1, 2, 3); two: "subtract"(2) <- cons(one) >
)]
async fn sum(order: Order, one: i64, two: i64) -> Report {
    println!("one = {one}");
    println!("two = {two}");
    Report { order: order.id, one, two }
}

#[tokio::main]
async fn main() -> fusion::Result<()> {
    let config = Config::from_env_or_embedded()?;
    // A service would end with `.run().await`, which serves until SIGTERM. This one asks itself, and stops.
    let app = App::new("math", config.clone()).reactors(reactors![add, subtract, sum]).start().await?;
    let pipeline = Pipeline::connect("sum-example", config).await?;

    let report = pipeline.ask::<sum>((Order { id: 7 },)).await?;
    println!("the answer: {report:?}");

    pipeline.close().await?;
    app.shutdown().await
}
