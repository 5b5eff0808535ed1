//! An order, and everything that can happen to the requests behind it: one per item (`for`), one only sometimes
//! (`if`), one that takes too long (`within`, `else`), one that has to be asked twice (`retry`), one whose failure
//! the handler wants to see (`Result`), and one without which there is no answer at all.
//!
//! `cargo run --example orders` runs it on a broker inside this process; with `KAFKA_BOOTSTRAP_SERVERS` set, on that
//! cluster.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use fusion::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    customer: String,
    articles: Vec<String>,
    express: bool,
}

/// All amounts are in cents.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    prices: Vec<u64>,
    express_fee: Option<u64>,
    discount: u64,
    courier: String,
    points: Option<u64>,
}

/// What an article costs. A wrong name stays wrong, so nobody should ask for it again.
#[reactor(topic = "price")]
fn price(article: String) -> Result<u64, Failure> {
    match &*article {
        "tea" => Ok(450),
        "cup" => Ok(900),
        _ => Err(Failure::new("no_such_article", format!("we do not sell {article}")).not_retryable()),
    }
}

/// What it costs to have it tomorrow.
#[reactor(topic = "express_fee")]
fn express_fee() -> u64 {
    590
}

/// A service that is busy when it is asked for the first time. It leaves repeating to those who ask (`retry = 0`).
#[reactor(topic = "discount", retry = 0)]
fn discount(customer: String, total: u64, asked: State<AtomicU32>) -> Result<u64, String> {
    if asked.fetch_add(1, Ordering::Relaxed) == 0 {
        println!("  discount: too busy to answer {customer}");
        return Err("too busy".to_owned());
    }
    println!("  discount: 10 % of {total} for {customer}");
    Ok(total / 10)
}

/// A service that thinks for longer than anybody waits.
#[reactor(topic = "courier")]
async fn courier(_customer: String) -> String {
    tokio::time::sleep(Duration::from_secs(20)).await;
    "a rider".to_owned()
}

/// A service that is out of order.
#[reactor(topic = "points", retry = 0)]
fn points(_customer: String) -> Result<u64, Failure> {
    Err(Failure::new("closed", "no points today").not_retryable())
}

/// Asks all of them, each as soon as its arguments are there.
#[reactor(
    topic = "orders",
    within = 10s,
    deps! <
        prices: "price"(article) for article in order.articles;
        fee: "express_fee"() if order.express;
        discount: "discount"(order.customer, prices.iter().sum::<u64>()) within 5s retry 2;
        courier: "courier"(order.customer) within 300ms else "the post".to_owned();
        points: "points"(order.customer)
    >
)]
fn orders(
    order: Order,
    prices: Vec<u64>,
    fee: Option<u64>,
    discount: u64,
    courier: String,
    points: Result<u64, CallError>,
) -> Receipt {
    println!("  orders: {} for {}", order.articles.join(" and "), order.customer);
    if let Err(error) = &points {
        println!("  orders: goes on although {error}");
    }
    Receipt { prices, express_fee: fee, discount, courier, points: points.ok() }
}

#[tokio::main]
async fn main() -> fusion::Result<()> {
    let config = Config::from_env_or_embedded()?;
    let app = App::new("shop", config.clone())
        .state(AtomicU32::new(0))
        .reactors(reactors![price, express_fee, discount, courier, points, orders])
        .start()
        .await?;
    let pipeline = Pipeline::connect("orders-example", config).await?;
    let order = |customer: &str, articles: &[&str], express| Order {
        customer: customer.to_owned(),
        articles: articles.iter().map(|&article| article.to_owned()).collect(),
        express,
    };

    println!("Ada orders, express:");
    let receipt = pipeline.ask::<orders>((order("Ada", &["tea", "cup"], true),)).await?;
    println!("  {receipt:?}");

    println!("Bo orders, not express:");
    let receipt = pipeline.ask::<orders>((order("Bo", &["cup"], false),)).await?;
    println!("  {receipt:?}");

    println!("Cy orders what nobody sells:");
    match pipeline.ask::<orders>((order("Cy", &["tea", "moon"], false),)).await {
        Ok(receipt) => println!("  {receipt:?}"),
        Err(error) => println!("  {}: {}", error.code(), error.message()),
    }

    pipeline.close().await?;
    println!("What was counted:");
    for (count, times) in app.metrics().iter().filter(|(_, times)| *times > 0) {
        println!("  {:<14} {times}", count.as_str());
    }
    app.shutdown().await
}
