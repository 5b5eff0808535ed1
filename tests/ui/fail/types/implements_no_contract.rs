#![allow(unused)]

use fusion::prelude::*;

struct Order;

#[reactor(topic = Order)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
