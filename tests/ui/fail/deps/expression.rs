#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


fn main() {
    let graph = deps! { one: "add"(1); two: "add"(1) <- on; two: "add"(2) };
    let _ = graph;
}
