#![allow(unused)]

use fusion::prelude::*;

mod services {
    use fusion::prelude::*;

    #[reactor(topic = "add")]
    fn add(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }

    #[contract(topic = "subtract")]
    fn subtract(from: i64, amount: i64) -> i64;

    #[contract(topic = "negate")]
    pub fn negate(number: i64) -> i64;
}

#[reactor(
    topic = "sum",
    deps! <
        zero: "negate"(0);
        one: "add"(1, zero);
        two: "subtract"(one, 2) -> i64;
        three: "negate"(two)
    >
)]
fn sum(one: i64, three: i64) -> i64 {
    one + three
}

async fn expression(pipeline: Pipeline) {
    let answers = pipeline.run(deps! { one: "negate"(1); two: "add"(1, one); three: "negate"(two) }).await;
}

fn main() {}
