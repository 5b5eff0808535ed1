#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


fn swap(args: (bool,), answer: i64) -> (i64, String) {
    (answer, args.0.to_string())
}

#[reactor(topic = "sum", deps! < one: "pair"(1, "a"); two: "pair"(2) <- swap(one) >)]
fn sum(two: i64) -> i64 {
    two
}

fn main() {}
