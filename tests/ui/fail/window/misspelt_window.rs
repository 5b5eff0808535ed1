#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(windows! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, to = "counts")]
fn plural(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(window < triggers: "brake" by id >, tumbling = 30s, grace = 1s, to = "counts")]
fn no_mark(id: Key<String>, triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(window = < triggers: "brake" by id >, tumbling = 30s, grace = 1s, to = "counts")]
fn equals(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(topic = "brake", window = 30s)]
fn of_a_topic(trigger: Trigger) -> u64 {
    1
}

fn main() {}
