#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(#[hand_in] #[payload] one: i64) -> i64 {
    one
}

fn main() {}
