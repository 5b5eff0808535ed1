#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" by id >,
    tumbling = 30s, grace = 1s, order = none, concurrency = 4, envelope = json, contract = Approve
)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
