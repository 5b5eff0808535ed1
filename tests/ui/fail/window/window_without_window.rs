#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(topic = "brake")]
fn brake(trigger: Trigger, window: fusion::Window) {}

fn main() {}
