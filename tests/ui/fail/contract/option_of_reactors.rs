#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add", retry = 3, topics = "b")]
pub fn add(numbers: Vec<i64>) -> i64;

fn main() {}
