#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" by id >,
    tumbling = 30, grace = -1s, idle = 10, max_future = -5m
)]
fn tumbling(triggers: Vec<Trigger>) {}

#[reactor(
    window! < triggers: "brake" by id >,
    hopping = "30s", advance = 30sec, grace = never, idle = Never, max_future = 0s
)]
fn hopping(triggers: Vec<Trigger>) {}

#[reactor(
    window! < triggers: "brake" by id >,
    session = 99999999999999999999h, longest = ten, grace = 0x10s, idle = "never", max_future = 1000001h
)]
fn session(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, sliding = 0s, grace = 1d, within = 30, retry = -1)]
fn sliding(triggers: Vec<Trigger>) {}

fn main() {}
