#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, serde::Serialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "brake")]
fn brake(trigger: Trigger) -> u64;

#[reactor(
    window! < triggers: "brake" by |_| 1 >,
    deps! < one: "brake"(triggers.pop()) >,
    tumbling = 30s, grace = 1s
)]
fn approve(mut triggers: Vec<Trigger>, one: u64) {}

fn main() {}
