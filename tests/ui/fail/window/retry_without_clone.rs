#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, retry = 2)]
fn approve(triggers: Vec<Trigger>) {}

// Nobody counts on an attempt.
#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, retry = 0)]
fn once(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn plain(triggers: Vec<Trigger>) {}

fn main() {}
