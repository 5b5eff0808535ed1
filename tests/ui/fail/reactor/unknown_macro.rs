#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", dep! < one: "add"(1) after two, three >, windows! < a: "b" | "c" by id >, retry = 1)]
fn sum() {}

fn main() {}
