#![deny(dead_code)]

use fusion::prelude::*;

#[reactor(topic = "add")]
fn add(number: i64) -> i64 {
    number
}

#[reactor(topic = "sum", deps! < one: "add"(1) >)]
fn sum(number: i64, one: i64) -> i64 {
    number + one
}

fn main() {}
