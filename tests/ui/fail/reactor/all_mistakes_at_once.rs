#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(topic = "su/m", retries = 3, deps! < one: "add"(1); one: "add"(2) >)]
unsafe fn sum(text: &str, one: i64) -> impl Send {
    one
}

fn main() {}
