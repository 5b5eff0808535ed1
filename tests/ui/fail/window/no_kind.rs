#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, grace = 1s)]
fn approve(triggers: Vec<Trigger>) {}

fn main() {}
