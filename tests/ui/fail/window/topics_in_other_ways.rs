#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" + "lidar" by id >, tumbling = 30s, grace = 1s)]
fn plus(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" "lidar" by id >, tumbling = 30s, grace = 1s)]
fn nothing(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id | "lidar" by id >, tumbling = 30s, grace = 1s)]
fn a_key_each(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "sensors.*" by id >, tumbling = 30s, grace = 1s, complete = all)]
fn pattern(triggers: Vec<Trigger>) {}

fn main() {}
