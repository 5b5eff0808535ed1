#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[derive(serde::Deserialize)]
struct Order {
    name: String,
}

fn length(name: String) -> i64 {
    name.len() as i64
}

#[reactor(topic = "sum", deps! < one: "add"(length(order.name)) >)]
fn sum(order: Order, one: i64) -> i64 {
    one
}

fn main() {}
