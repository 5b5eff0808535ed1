#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(
    topic = "sum",
    deps! <
        one: "add"(1) retry 2 within 3s;
        two: "add"(1) else 0 if true;
        three: "add"(1) after one <- two
    >
)]
fn sum(three: i64) -> i64 {
    three
}

fn main() {}
