#![allow(unused)]

use fusion::prelude::*;

struct Order;

#[reactor(topic = "sum", deps! < one: services::add(1); two: Order(1) >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
