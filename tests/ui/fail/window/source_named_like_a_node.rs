#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "price")]
fn price() -> f64;

#[reactor(window! < triggers: "brake" by id >, deps! < triggers: "price"() >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
