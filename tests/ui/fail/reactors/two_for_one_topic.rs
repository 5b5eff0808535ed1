#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(number: i64) -> i64;

#[reactor(topic = add)]
fn first(number: i64) -> i64 {
    number
}

#[reactor(topic = add)]
fn second(number: i64) -> i64 {
    number
}

fn main() {
    reactors![first, second];
}
