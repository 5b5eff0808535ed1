#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(number: i64, #[cfg(feature = "more")] more: i64) -> i64 {
    number
}

fn main() {}
