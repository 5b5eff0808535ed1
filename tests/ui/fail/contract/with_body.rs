#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

fn main() {}
