#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


#[reactor(topic = "sum", deps! < one: "pair"(..[1, 2]) >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
