#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" | "brake" | "li dar" by id; others: "camera" id >,
    tumbling = 30s, session = 5m, grace = soon, order = key, to = "approvals",
)]
async fn approve(id: Key<String>, trigers: Vec<Trigger>, others: Vec<Trigger>, headers: Headers) -> u64 {
    1
}

fn main() {}
