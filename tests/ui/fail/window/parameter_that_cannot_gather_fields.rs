#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

// What is taken of a record that nothing gathers is not known to be wrong.
#[reactor(window! < triggers: "brake" by id at time; others: "lidar" by |other| other.id.clone() >, tumbling = 30s, grace = 2s)]
fn approve(id: Key<String>, triggers: Trigger, others: u64) {}

// Nor is a list with such a window.
fn list() {
    reactors![approve];
}

fn main() {}
