#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", deps! < one: "ad"(1, 2); two: "subtract"(1) <- one >)]
fn sum(one: i64, two: i64) -> i64 {
    one + two
}

fn main() {}
