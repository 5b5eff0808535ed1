#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "sum", deps! < lead: "add"(one); one: "add"(two); two: "add"(one, tail); tail: "add"(1) >)]
fn sum(lead: i64) -> i64 {
    lead
}

fn main() {}
