#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", deps! < one: "add it"(1); two: ""(1); three: ".."(1) -> i64 >)]
fn sum(three: i64) -> i64 {
    three
}

fn main() {}
