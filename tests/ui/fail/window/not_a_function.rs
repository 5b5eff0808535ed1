#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
struct Approve;

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
const APPROVE: u8 = 1;

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn no_body(triggers: Vec<Trigger>);

struct Service;

impl Service {
    #[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
    fn approve(&self, triggers: Vec<Trigger>) {}
}

fn main() {}
