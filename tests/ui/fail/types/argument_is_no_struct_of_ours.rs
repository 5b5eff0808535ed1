#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Item;

#[contract(topic = "ship")]
fn ship(item: Item) -> i64;

#[reactor(topic = "sum", deps! < one: "ship"("item"); two: "ship"(Some(Item)) >)]
fn sum(one: i64) -> i64 {
    one
}

fn main() {}
