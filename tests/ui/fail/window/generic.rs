#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve<T>(triggers: Vec<T>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn any(triggers: impl Iterator<Item = Trigger>) {}

fn main() {}
