#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(topic = "brake", tumbling = 30s, grace = 1s, copartitioned)]
fn brake(trigger: Trigger) {}

#[reactor(tumbling = 30s, grace = 1s)]
fn nothing(trigger: Trigger) {}

fn main() {}
