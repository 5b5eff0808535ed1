#![allow(unused)]

use fusion::prelude::*;

type Maybe = Option<i64>;

#[reactor(topic = "sum")]
fn sum(one: i64, two: Maybe, three: Option<i64>) -> i64 {
    one + two.or(three).unwrap_or_default()
}

fn main() {}
