#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(
    topic = "sum",
    deps! <
        one: "add"(1) within 5;
        two: "add"(2) <- thre;
        three: "a/b"(3)
    >
)]
fn sum(one: i64, two: i64, three: i64) -> i64 {
    one + two + three
}

fn main() {}
