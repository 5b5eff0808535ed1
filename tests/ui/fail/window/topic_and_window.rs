#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(topic = "brake", window! < triggers: "lidar" by id >, tumbling = 30s, grace = 1s)]
fn brake(triggers: Vec<Trigger>) {}

fn main() {}
