#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, window! < others: "lidar" by id >, tumbling = 30s, grace = 1s)]
fn angles(triggers: Vec<Trigger>, others: Vec<Trigger>) {}

#[reactor(window!{ triggers: "brake" by id }, window![others: "lidar" by id], tumbling = 30s, grace = 1s)]
fn braces(triggers: Vec<Trigger>, others: Vec<Trigger>) {}

#[reactor(window!(triggers: "brake" by id), window!(others: "lidar" id), tumbling = 30s, grace = 1s)]
fn with_a_mistake(triggers: Vec<Trigger>, others: Vec<Trigger>) {}

fn main() {}
