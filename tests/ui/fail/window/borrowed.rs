#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id; names: "names" by |_| 1 >, tumbling = 30s, grace = 1s)]
fn approve(triggers: &[Trigger], names: Vec<&'static str>, state: State<&str>) {}

fn main() {}
