#![allow(unused)]

use fusion::prelude::*;

mod services {
    use fusion::prelude::*;

    #[reactor(topic = "add")]
    fn add(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }
}

#[reactor(topic = "sum", deps! < one: "add"(1, 2) >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
