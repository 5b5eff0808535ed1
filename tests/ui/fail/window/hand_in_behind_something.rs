#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn borrowed(triggers: Vec<Trigger>, id: &Key<String>, window: &fusion::Window, cx: &Context) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn optional(triggers: Vec<Trigger>, id: Option<Key<String>>, window: Option<Window>) {}

fn main() {}
