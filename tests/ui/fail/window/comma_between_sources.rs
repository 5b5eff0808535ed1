#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < brakes: "brake" by id at time, lidars: "lidar" by id, radars: "radar" by id >,
    tumbling = 30s, grace = 1s
)]
fn behind_the_key(brakes: Vec<Trigger>, lidars: Vec<Trigger>, radars: Vec<Trigger>) {}

#[reactor(window! < brakes: "brake", lidars: "lidar" by id >, tumbling = 30s, grace = 1s)]
fn behind_the_topic(brakes: Vec<Trigger>, lidars: Vec<Trigger>) {}

fn main() {}
