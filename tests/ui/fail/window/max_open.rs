#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(keys = 0, bytes = 3mb))]
fn values(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(keys = 1, keys = 2, byte = 5, windows = 7))]
fn names(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(keys: 1, bytes))]
fn missing(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(keys = -1, bytes = 99999999999999999999))]
fn numbers(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(keys = 1 bytes = 2))]
fn comma(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open(100))]
fn only(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open[keys = 1])]
fn brackets(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s, max_open())]
fn none(triggers: Vec<Trigger>) {}

fn main() {}
