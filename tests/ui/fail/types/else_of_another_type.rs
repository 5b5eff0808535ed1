#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1) else "none"; two: "add"(2) if true else (); all: "add"(n) for n in 0..2 else None >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
