#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < One: "add"(1); cons: "add"(2); match: "add"(3) >)]
fn sum() -> i64 {
    1
}

fn main() {}
