#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 2s)]
fn approve(id: Key<String>, tiggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 2s)]
fn other(triggers: Vec<Trigger>, tenant: String, (a, b): (u8, u8)) {}

fn main() {}
