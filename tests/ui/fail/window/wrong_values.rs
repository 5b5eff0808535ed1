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

fn main() {}
