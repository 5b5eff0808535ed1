#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" | "lidar" by id >,
    tumbling = 30s, tumbling = 40s,
    grace = 1s, grace = 2s,
    idle = 10s, idle = never,
    max_future = 5m, max_future = 6m,
    late = "a", late = "b",
    complete = all, complete = all,
    emit = final, emit = final,
    copartitioned, copartitioned,
    max_open(keys = 1), max_open(bytes = 1),
)]
fn tumbling(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, hopping = 3s, advance = 1s, grace = 1s, advance = 2s, hopping = 4s)]
fn hopping(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, session = 3s, longest = 1m, grace = 1s, longest = 2m, session = 4s)]
fn session(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, sliding = 3s, sliding = 3s, grace = 1s)]
fn sliding(triggers: Vec<Trigger>) {}

fn main() {}
