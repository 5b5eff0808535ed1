#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize, serde::Serialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[contract(topic = "lidar")]
fn lidar(id: String, time: i64);

#[contract(topic = "camera")]
fn camera(times: Vec<i64>);

#[reactor(window! < triggers: "radar" | "lidar" | "brake" | camera by id >, tumbling = 30s, grace = 2s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
