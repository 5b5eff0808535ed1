#![allow(unused)]

use fusion::prelude::*;

struct Order;

#[reactor(topic = "one")]
fn one(order: Order) -> i64 {
    1
}

#[reactor(topic = "two")]
fn two(id: i64, orders: Vec<Order>, other: Option<Order>) -> i64 {
    id
}

fn main() {}
