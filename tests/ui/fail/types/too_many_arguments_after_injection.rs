#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


#[reactor(topic = "sum", deps! < one: "pair"(1, "a"); two: "pair"(2, "b") <- one >)]
fn sum(two: i64) -> i64 {
    two
}

fn main() {}
