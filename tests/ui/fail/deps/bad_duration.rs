#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(
    topic = "sum",
    deps! < one: "add"(1) within 5; two: "add"(1) within 0s; three: "add"(1) within 5sec; four: "add"(1) within soon >
)]
fn sum(four: i64) -> i64 {
    four
}

fn main() {}
