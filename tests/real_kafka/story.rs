//! The README's story with each reactor in a process of its own.

use std::{future::IntoFuture, time::Duration};

use fusion::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    child::Child,
    common::{cluster, unique},
};

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

#[reactor(topic = "real.add")]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

#[reactor(topic = "real.subtract")]
async fn subtract(from: i64, amount: i64) -> i64 {
    from - amount
}

#[reactor(topic = "real.sum", deps! < one: "real.add"(1, 2, 3); two: "real.subtract"(2) <- cons(one) >)]
async fn sum(order: Order, one: i64, two: i64) -> Report {
    Report { order: order.id, one, two }
}

/// In a child process.
pub async fn serve(service: &str, group: &str) -> fusion::Result<()> {
    // A request of the story before may run, and wait for services that have gone.
    let app = App::new(group, cluster().stop_limit(Duration::from_secs(3)));
    match service {
        "add" => app.reactors(reactors![add]).run().await,
        "subtract" => app.reactors(reactors![subtract]).run().await,
        "sum" => app.reactors(reactors![sum]).run().await,
        _ => panic!("no service `{service}`"),
    }
}

pub async fn three_services_answer_in_whatever_order_they_start() {
    let orders = [["add", "subtract", "sum"], ["sum", "subtract", "add"], ["subtract", "sum", "add"]];
    for (id, order) in (7..).zip(orders) {
        let pipeline = Pipeline::connect("story", cluster()).await.unwrap();
        // It is asked before anybody is there.
        let asked = pipeline.ask::<sum>((Order { id },)).within(Duration::from_secs(20));
        let asked = tokio::spawn(asked.into_future());
        let mut services: Vec<_> =
            order.iter().map(|service| Child::start(&["serve", service, &unique(service)])).collect();
        let report = asked.await.unwrap().unwrap();
        assert_eq!(report, Report { order: id, one: 6, two: 4 }, "{order:?}");
        services.iter().for_each(Child::terminate);
        for service in &mut services {
            let (status, _) = service.ended(Duration::from_secs(10)).await;
            assert!(status.success(), "{status}");
        }
        pipeline.close().await.unwrap();
    }
}
