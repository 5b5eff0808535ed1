#![allow(unused)]

use fusion::prelude::*;

struct Order;

#[contract(topic = "add")]
pub fn add(number: i64) -> i64;

fn plain() {}

fn main() {
    reactors![Order, add, plain, missing];
}
