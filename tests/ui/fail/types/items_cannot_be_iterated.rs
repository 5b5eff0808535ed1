#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[derive(serde::Deserialize)]
struct Order {
    amount: i64,
}

#[reactor(topic = "sum", deps! < one: "add"(n) for n in order.amount; two: "add"(n) for n in 5 >)]
fn sum(order: Order, one: Vec<i64>) -> i64 {
    1
}

fn main() {}
