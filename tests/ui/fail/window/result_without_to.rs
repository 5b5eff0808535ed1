#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve(triggers: Vec<Trigger>) -> Result<u64, String> {
    Ok(1)
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn nothing(triggers: Vec<Trigger>) -> Result<(), String> {
    Ok(())
}

fn main() {}
