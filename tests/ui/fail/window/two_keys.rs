#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn same(id: Key<String>, other: Key<String>, triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn different(id: Key<String>, triggers: Vec<Trigger>, time: Key<u64>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn without_a_name(Key(id): Key<String>, Key(other): Key<String>, triggers: Vec<Trigger>) {}

fn main() {}
