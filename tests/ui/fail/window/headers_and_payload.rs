#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve(triggers: Vec<Trigger>, headers: Headers, #[payload] other: u64, #[hand_in] tenant: u64) {}

fn main() {}
