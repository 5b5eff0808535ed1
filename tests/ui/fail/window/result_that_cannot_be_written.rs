#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

struct Approval;

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, to = "approvals")]
fn approve(triggers: Vec<Trigger>) -> Option<Approval> {
    None
}

fn main() {}
