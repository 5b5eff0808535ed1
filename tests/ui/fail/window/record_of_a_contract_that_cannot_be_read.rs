#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Serialize)]
struct Trigger {
    id: String,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[reactor(window! < triggers: "radar" by id >, sliding = 1m, grace = 2s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
