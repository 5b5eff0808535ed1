#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Order;

#[reactor(topic = "sum", deps! < one: "elsewhere"(order) -> i64 >)]
fn sum(order: Order, one: i64) -> i64 {
    one
}

fn main() {}
