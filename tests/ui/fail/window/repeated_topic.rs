#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(topic = "radar")]
fn radar(trigger: Trigger);

#[reactor(
    window! < triggers: "brake" | "brake" | radar by id; others: "lidar" | "brake" | self::radar by id >,
    tumbling = 30s, grace = 2s
)]
fn approve(triggers: Vec<Trigger>, others: Vec<Trigger>) {}

fn main() {}
