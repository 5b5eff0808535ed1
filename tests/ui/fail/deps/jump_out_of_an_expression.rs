#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub fn add(numbers: Vec<i64>) -> i64;


#[reactor(
    topic = "sum",
    deps! < one: "add"("1".parse::<i64>()?); two: "add"(1) if return; three: "add"(1) else later().await >
)]
async fn sum(three: i64) -> i64 {
    three
}

async fn later() -> i64 {
    1
}

fn main() {}
