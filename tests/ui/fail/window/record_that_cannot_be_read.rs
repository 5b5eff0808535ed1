#![allow(unused)]

use fusion::prelude::*;

struct Opaque {
    id: String,
}

#[reactor(window! < opaque: "brake" | "lidar" by id >, tumbling = 30s, grace = 2s)]
fn approve(opaque: Vec<Opaque>) {}

fn main() {}
