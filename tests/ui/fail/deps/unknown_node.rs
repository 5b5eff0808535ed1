#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(
    topic = "sum",
    deps! <
        one: "add"(1);
        two: "add"(1) <- oen;
        three: "add"(1) after number, cons
    >
)]
fn sum(number: i64, three: i64) -> i64 {
    number + three
}

fn main() {}
