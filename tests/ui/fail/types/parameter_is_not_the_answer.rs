#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < one: "add"(1); two: "add"(2) >)]
fn sum(one: String, two: Option<i64>) -> String {
    one
}

fn main() {}
