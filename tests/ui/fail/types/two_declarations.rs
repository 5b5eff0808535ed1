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

#[reactor(
    topic = "clauses",
    deps! <
        one: "add"(n, n + 1, "text", n.to_string()) if true for n in [1, 2];
        two: first::add(1, 2);
        three: "add"(1) <- two
    >
)]
fn clauses(one: Option<Vec<i64>>, three: Result<i64, CallError>) -> i64 {
    1
}

async fn expression(pipeline: Pipeline) {
    let answers = pipeline.run(deps! { one: "add"(1, 2, 3, 4, 5) }).await;
}

fn main() {}
