#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" | "lidar" by id >, tumbling = 30s, grace = 1s, complete = "all")]
fn complete(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, emit = "updates")]
fn emit(triggers: Vec<Trigger>) {}

fn main() {}
