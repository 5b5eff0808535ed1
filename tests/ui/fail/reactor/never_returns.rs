#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(number: i64) -> ! {
    panic!("{number}")
}

fn main() {}
