#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "brake" by id >,
    tumblin = 30s, hoping = 30s, slidding = 30s, sesion = 1s, advanse = 1s, longst = 1h, grase = 1s, complet = all,
    emitt = final, idel = never, maxfuture = 1s, lates = "x", co_partitioned, maxopen(keys = 1), envelop = json,
)]
fn each(triggers: Vec<Trigger>) {}

#[reactor(windows! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn window(triggers: Vec<Trigger>) {}

#[reactor(window < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
fn no_mark(triggers: Vec<Trigger>) {}

#[reactor(window = "brake", tumbling = 30s, grace = 1s)]
fn no_macro(triggers: Vec<Trigger>) {}

#[reactor(window! < triggers: "brake" by id >, size = 30s, grace = 1s)]
fn nothing_near(triggers: Vec<Trigger>) {}

fn main() {}
