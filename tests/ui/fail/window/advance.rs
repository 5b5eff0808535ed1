#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, hopping = 30s, advance = 31s, grace = 1s)]
fn longer(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, hopping = 30s, advance = 0s, grace = 1s)]
fn zero(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, hopping = 30s, grace = 1s)]
fn missing(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, advance = 1s, grace = 1s)]
fn surplus(triggers: Vec<Trigger>) {}

fn main() {}
