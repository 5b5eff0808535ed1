#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", within = 5s, deps! < one: "add"(1) within 3s; two: "add"(one) within 2500ms >)]
fn sum(two: i64) -> i64 {
    two
}

fn main() {}
