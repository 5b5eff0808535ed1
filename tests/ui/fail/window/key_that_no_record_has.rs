#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by identifier >, tumbling = 30s, grace = 2s)]
fn approve(id: Key<String>, triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by |trigger| trigger.identifier >, tumbling = 30s, grace = 2s)]
fn other(triggers: Vec<Trigger>) {}

fn main() {}
