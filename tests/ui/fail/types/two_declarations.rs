#![allow(unused)]

use fusion::prelude::*;

mod first {
    use fusion::prelude::*;

    #[reactor(topic = "add")]
    pub fn add(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }
}

mod second {
    use fusion::prelude::*;

    #[contract(topic = "add")]
    pub fn plus(number: i64) -> i64;
}

#[reactor(topic = "sum", deps! < one: "add"(1, 2) >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
