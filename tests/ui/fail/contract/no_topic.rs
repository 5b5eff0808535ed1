#![allow(unused)]

use fusion::prelude::*;

#[contract]
pub fn add(numbers: Vec<i64>) -> i64;

fn main() {}
