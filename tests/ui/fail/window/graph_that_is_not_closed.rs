#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "price")]
fn price(article: String) -> u64;

#[reactor(
    window! < sales: "sales" by |sale| sale.len() as u64 >,
    tumbling = 30s, grace = 1s,
    deps! < price: "price"("tea"),
    to = "sums"
)]
fn sum(sales: Vec<String>, price: u64) -> u64 {
    price * sales.len() as u64
}

fn main() {}
