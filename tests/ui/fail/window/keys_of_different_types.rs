#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[derive(serde::Deserialize)]
struct Order {
    id: u64,
}

#[reactor(window! < triggers: "brake" by id; orders: "orders" by id >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<Trigger>, orders: Vec<Order>) {}

#[reactor(window! < triggers: "brake" by id; orders: "orders" by |order| order.id + 1 >, tumbling = 30s, grace = 2s)]
fn other(triggers: Vec<Trigger>, orders: Vec<Order>) {}

fn main() {}
