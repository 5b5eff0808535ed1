#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(topic = "brake")]
fn brake(trigger: Trigger) {}

#[reactor(window! < triggers: "lidar" | "brake" by id >, tumbling = 30s, grace = 1s, copartitioned)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {
    reactors![brake, approve];
}
