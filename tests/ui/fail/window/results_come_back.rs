#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(topic = "approvals", to = "brake")]
fn again(count: u64) -> u64 {
    count
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, to = "approvals")]
fn approve(triggers: Vec<Trigger>) -> u64 {
    1
}

fn main() {
    reactors![again, approve];
}
