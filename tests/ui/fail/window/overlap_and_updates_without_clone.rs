#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, hopping = 30s, advance = 10s, grace = 1s, emit = updates)]
fn everything(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, sliding = 30s, grace = 1s, retry = 2)]
fn last(triggers: Option<Trigger>) {}

fn main() {}
