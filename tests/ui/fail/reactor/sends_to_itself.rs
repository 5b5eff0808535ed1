#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "add", to = "add")]
fn add(number: i64) -> i64 {
    number + 1
}

fn main() {
    reactors![add];
}
