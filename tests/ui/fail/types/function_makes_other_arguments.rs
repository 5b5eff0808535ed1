#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


fn swap(args: (i64,), answer: i64) -> (i64, i64) {
    (answer, args.0)
}

#[reactor(topic = "sum", deps! < one: "pair"(1, "a"); two: "pair"(2) <- swap(one) >)]
fn sum(two: i64) -> i64 {
    two
}

fn main() {}
