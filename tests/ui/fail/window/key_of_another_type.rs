#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by time >, tumbling = 30s, grace = 2s)]
fn approve(id: Key<String>, triggers: Vec<Trigger>) {}

fn main() {}
