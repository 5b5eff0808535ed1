#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(number: i64) -> i64;

fn main() {}
