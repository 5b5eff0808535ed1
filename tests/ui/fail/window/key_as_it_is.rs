#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve(id: String, triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn borrowed(id: &str, triggers: Vec<Trigger>) {}

fn main() {}
