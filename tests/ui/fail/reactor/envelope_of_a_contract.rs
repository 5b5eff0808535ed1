#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(number: i64) -> i64;

#[reactor(topic = add, envelope = json)]
fn sum(number: i64) -> i64 {
    number
}

fn main() {}
