#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "one")]
fn one(value: impl std::fmt::Display) -> String {
    value.to_string()
}

#[reactor(topic = "two")]
fn two() -> impl Future<Output = i64> {
    async { 1 }
}

fn main() {}
