#![allow(unused)]

use fusion::prelude::*;

#[reactor(window! < floats: "floats" by |f| *f >, tumbling = 30s, grace = 2s)]
fn approve(floats: Vec<f64>) {}

fn main() {}
