#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, Clone)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" by id >,
    sliding = 10s, advance = 1s, longest = 1m, emit = updates, complete = all, copartitioned, late = "brake"
)]
fn approve(triggers: Vec<Trigger>, triger: Vec<Trigger>) -> u64 {
    1
}

#[reactor(window! < triggers: "brake" by id; others: "lidar" by id >, hopping = 1s, advance = 0.1ms, grace = 3s, late = "b a d")]
fn other(triggers: Vec<Trigger>, headers: Headers, id: String) {}

fn main() {}
