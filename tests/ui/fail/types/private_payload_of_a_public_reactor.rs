#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Order;

#[reactor(topic = "sum")]
pub fn sum(order: Order) -> i64 {
    1
}

fn main() {}
