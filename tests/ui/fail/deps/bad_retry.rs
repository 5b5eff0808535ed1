#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1) retry 1.5; two: "add"(1) retry often >)]
fn sum(two: i64) -> i64 {
    two
}

fn main() {}
