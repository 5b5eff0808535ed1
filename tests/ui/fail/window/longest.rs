#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, session = 30s, grace = 1s)]
fn missing(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, session = 30s, longest = 29s, grace = 1s)]
fn shorter(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, sliding = 30s, longest = 1m, grace = 1s)]
fn surplus(triggers: Vec<Trigger>) {}

fn main() {}
