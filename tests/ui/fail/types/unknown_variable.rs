#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(ordre.amount); two: "add"(on) >)]
fn sum(order: Vec<i64>, one: i64) -> i64 {
    one
}

fn main() {}
