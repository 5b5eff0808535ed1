#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, serde::Serialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[contract(topic = "lidar")]
fn lidar(trigger: Trigger);

#[reactor(window! < triggers: "radar" | lidar by |_| 1 >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<String>) {}

fn main() {}
