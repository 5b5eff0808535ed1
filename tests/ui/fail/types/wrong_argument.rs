#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


#[derive(serde::Deserialize)]
struct Order {
    name: String,
}

#[reactor(topic = "sum", deps! < one: "pair"(order.name, "a"); two: "pair"(1, 2 + 3); three: "pair"("a", true) >)]
fn sum(order: Order, one: i64) -> i64 {
    one
}

fn main() {}
