#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < window: "brake" by id; id: "lidar" by id >, tumbling = 30s, grace = 1s)]
fn approve(window: Window, id: Key<String>) {}

fn main() {}
