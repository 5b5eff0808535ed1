#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", deps! < one: "sum"(1); two: sum(1) >)]
fn sum(number: i64, one: i64) -> i64 {
    number + one
}

fn main() {}
