#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub async fn add(numbers: Vec<i64>) -> i64;

fn main() {}
