#![deny(dead_code)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
#[allow(unused)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve(triggers: Vec<Trigger>) {
    drop(triggers);
}

fn main() {}
