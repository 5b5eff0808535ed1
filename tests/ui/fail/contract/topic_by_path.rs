#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = topics::ADD)]
pub fn add(numbers: Vec<i64>) -> i64;

fn main() {}
