#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id > tumbling = 30s, grace = 1s, to = "counts")]
fn angles(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(window! < triggers: "brake" by id > to = "counts", tumbling = 30s, grace = 1s)]
fn before_to(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(window! { triggers: "brake" by id } tumbling = 30s grace = 1s, to = "counts")]
fn braces(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

#[reactor(window! < triggers: "brake" by id, tumbling = 30s, grace = 1s, to = "counts")]
fn not_closed(triggers: Vec<Trigger>, window: Window) -> u64 {
    window.count()
}

fn main() {}
