#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "add", retries = 3)]
async fn add(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

#[reactor(topic = "text")]
async fn text(text: &str) -> i64 {
    text.len() as i64
}

#[reactor(topic = "sum", deps! < one: "add"(1, 2); two: text("a", 1) >)]
async fn sum(one: i64, two: i64) -> i64 {
    one + two
}

fn main() {
    reactors![add, text, sum];
}
