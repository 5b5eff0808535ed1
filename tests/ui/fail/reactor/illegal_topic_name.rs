#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "orders/new", to = "..")]
fn sum() -> i64 {
    1
}

fn main() {}
