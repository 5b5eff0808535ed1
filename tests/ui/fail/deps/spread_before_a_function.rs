#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1); two: "add"(..[1, 2]) <- twice(one) >)]
fn sum(two: i64) -> i64 {
    two
}

fn twice(args: (i64,), answer: i64) -> (i64, i64) {
    (answer, args.0)
}

fn main() {}
