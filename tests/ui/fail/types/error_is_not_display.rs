#![allow(unused)]

use fusion::prelude::*;

struct Broken;

#[reactor(topic = "sum")]
fn sum(one: i64) -> Result<i64, Broken> {
    Err(Broken)
}

fn main() {}
