#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" | "lidar" by id >, emit = updates, tumbling = 30s, grace = 1s, complete = all)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
