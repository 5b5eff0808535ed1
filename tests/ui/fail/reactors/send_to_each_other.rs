#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "a", to = "b")]
fn a(id: i64) -> i64 {
    id
}

#[reactor(topic = "b", to = "a")]
fn b(id: i64) -> i64 {
    id
}

fn main() {
    reactors![a, b];
}
