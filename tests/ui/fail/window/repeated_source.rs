#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id; triggers: "lidar" by id >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
