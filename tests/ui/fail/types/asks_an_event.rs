#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "done")]
pub fn done(id: u64);

#[reactor(topic = "sum", deps! < one: "done"(1); two: done(2) >)]
fn sum(one: ()) {}

fn main() {}
