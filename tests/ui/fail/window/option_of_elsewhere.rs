#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, size = 30s, allowed_lateness = 1s, sink = "counts", side_output = "late")]
fn count(triggers: Vec<Trigger>) -> usize {
    triggers.len()
}

#[reactor(window! < triggers: "brake" by id >, hopping = 30s, hop = 10s, grace = 1s, suppress = final)]
fn hops(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, gap = 30s, max = 1h, grace = 1s)]
fn sessions(triggers: Vec<Trigger>) {}

fn main() {}
