#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1) within 1m >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
