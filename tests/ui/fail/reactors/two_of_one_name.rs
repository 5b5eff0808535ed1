#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "first")]
fn first(number: i64) -> i64 {
    number
}

#[reactor(topic = "second", name = "first")]
fn second(number: i64) -> i64 {
    number
}

fn main() {
    reactors![first, second];
}
