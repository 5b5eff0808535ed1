#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, Clone)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, sliding = 30s, tumbling = 1m, grace = 1s, hopping = 2s, advance = 1s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
