#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, Clone)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by |_| 1 >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Trigger) {}

#[reactor(window! < names: "names" by |_| 1; others: "others" by |_| 2 >, sliding = 30s, grace = 2s, emit = updates)]
async fn other(others: Option<Trigger>, names: String) {}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[reactor(window! < triggers: "radar" by |_| 1 >, tumbling = 1m, grace = 2s)]
fn third(triggers: u64) {}

fn main() {}
