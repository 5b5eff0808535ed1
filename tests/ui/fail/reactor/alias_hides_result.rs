#![allow(unused)]

use fusion::prelude::*;

type Outcome = std::io::Result<i64>;

#[reactor(topic = "one")]
fn one() -> Outcome {
    Ok(1)
}

#[reactor(topic = "two")]
fn two() -> std::fmt::Result {
    Ok(())
}

fn main() {}
