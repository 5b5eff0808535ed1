#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "pair")]
pub fn pair(left: i64, right: String) -> i64;


#[reactor(topic = "sum", deps! < one: "pair"(1, "a"); two: "pair"("a") <- cons(one) ; three: "pair"(1) <- two >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
