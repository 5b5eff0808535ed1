#![allow(unused)]

use fusion::prelude::*;

type Ids = Vec<i64>;

#[reactor(topic = "sum")]
fn sum(ids: Ids) -> i64 {
    ids.iter().sum()
}

fn main() {}
