#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" | "lidar" by id >,
    tumbling = 30, grace, complete = most, emit = finally, idle = nver, max_future = 0s, late = brake(), copartitioned = true
)]
fn values(triggers: Vec<Trigger>) {}

#[reactor(
    window! < triggers: "brake" by id >,
    tumbling = 30s, grace = 0s, max_open(key = 3), max_open(keys = 0), max_open = 3, max_open(bytes = 3mb), max_open()
)]
fn bounds(triggers: Vec<Trigger>) {}

fn main() {}
