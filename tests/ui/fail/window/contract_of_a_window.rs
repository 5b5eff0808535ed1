#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[contract(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn approve(triggers: Vec<Trigger>);

fn main() {}
