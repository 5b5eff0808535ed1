#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1) >)]
fn sum(#[hand_in] one: i64) -> i64 {
    one
}

fn main() {}
