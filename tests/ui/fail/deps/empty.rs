#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", deps! < >)]
fn sum() -> i64 {
    1
}

fn main() {}
