#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[reactor(window! < triggers: "radar" | radar by id >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {
    reactors![approve];
}
