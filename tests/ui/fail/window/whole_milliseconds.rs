#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 1.5ms, grace = 0.25ms, idle = 1.0005s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
