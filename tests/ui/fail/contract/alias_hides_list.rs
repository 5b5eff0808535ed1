#![allow(unused)]

use fusion::prelude::*;

type Ids = Vec<i64>;

#[contract(topic = "add")]
pub fn add(ids: Ids) -> i64;

fn main() {}
