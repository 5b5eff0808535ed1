#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grase = 2s)]
async fn approve(id: Key<String>, triggers: Vec<Trigger>) {}

// Neither has an error of its own.
fn list() {
    reactors![approve];
}

fn main() {}
