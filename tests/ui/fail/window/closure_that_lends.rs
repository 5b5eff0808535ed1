#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by |trigger| &trigger.id at |trigger| &trigger.time >, tumbling = 30s, grace = 1s)]
fn approve(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by |trigger| trigger.id >, tumbling = 30s, grace = 1s)]
fn moved(triggers: Vec<Trigger>) {}

fn main() {}
