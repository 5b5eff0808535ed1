#![allow(unused)]

use fusion::prelude::*;

#[reactor(
    topic = 5,
    name = sum,
    contract = "Sum",
    to = -1,
    within = "30s",
    retry = three,
    order = keys,
    concurrency = 0,
    envelope = xml,
    crate = "fusion"
)]
fn sum() {}

fn main() {}
