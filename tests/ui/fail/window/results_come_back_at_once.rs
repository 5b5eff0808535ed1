#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, serde::Serialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[reactor(window! < triggers: "lidar" | "brake" by id >, tumbling = 30s, grace = 1s, to = "brake")]
fn approve(triggers: Vec<Trigger>) -> Option<Trigger> {
    None
}

#[reactor(window! < triggers: radar by id >, tumbling = 30s, grace = 1s, late = self::radar, to = radar)]
fn other(triggers: Vec<Trigger>) -> Option<Trigger> {
    None
}

fn main() {
    reactors![approve, other];
}
