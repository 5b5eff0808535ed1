#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;

/// As stated.
#[reactor(topic = "sum", deps! < one: "add"(1) -> String; two: add(1) -> u8 >)]
fn sum(one: String, two: u8) -> u8 {
    two
}

/// As declared.
#[reactor(topic = "other", deps! < one: "add"(1) -> String; two: "add"() <- one >)]
fn other(one: i64, two: i64) -> i64 {
    one + two
}

fn main() {}
