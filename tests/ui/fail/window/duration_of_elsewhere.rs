#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 10sec, grace = "2s", idle = false)]
fn count(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, hopping = 1d, advance = 5min, grace = 10 seconds)]
fn hops(triggers: Vec<Trigger>) {}

fn main() {}
