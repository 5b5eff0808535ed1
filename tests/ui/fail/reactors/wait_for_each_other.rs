#![allow(unused)]

use fusion::prelude::*;

mod contracts {
    use fusion::prelude::*;

    #[contract(topic = "a")]
    pub fn a(id: i64) -> i64;

    #[contract(topic = "b")]
    pub fn b(id: i64) -> i64;

    #[contract(topic = "c")]
    pub fn c(id: i64) -> i64;
}

#[reactor(topic = "leads", deps! < one: "a"(1) >)]
fn leads(one: i64) -> i64 {
    one
}

#[reactor(topic = contracts::a, deps! < one: "b"(id) >)]
fn a(id: i64, one: i64) -> i64 {
    id + one
}

#[reactor(topic = contracts::b, deps! < one: contracts::a(id) >)]
fn b(id: i64, one: i64) -> i64 {
    id + one
}

fn main() {
    reactors![leads, a, b];
}
