#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" | "lidar" by id >, complete = all, session = 30s, longest = 1m, grace = 1s)]
fn session(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" | "lidar" by id >, sliding = 30s, grace = 1s, complete = all)]
fn sliding(triggers: Vec<Trigger>) {}

fn main() {}
