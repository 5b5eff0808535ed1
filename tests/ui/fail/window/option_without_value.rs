#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" by id >,
    sliding = , grace = , idle = , late = , emit = , complete = , within = , to = , max_future =
)]
fn values(triggers: Vec<Trigger>) {}

#[reactor(
    window! < triggers: "brake" by id >,
    tumbling: 30s, grace, idle, late, emit, complete, max_future
)]
fn names(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, copartitioned(true), complete = 1, late = 5, emit = 2)]
fn others(triggers: Vec<Trigger>) {}

fn main() {}
