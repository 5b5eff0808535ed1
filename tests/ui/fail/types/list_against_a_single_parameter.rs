#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "list")]
pub fn list(numbers: Vec<i64>) -> i64;

#[contract(topic = "single")]
pub fn single(number: i64) -> i64;

#[reactor(topic = list)]
fn one(number: i64) -> i64 {
    number
}

#[reactor(topic = single)]
fn two(numbers: Vec<i64>) -> i64 {
    1
}

fn main() {}
