#![allow(unused)]

use fusion::prelude::*;

#[reactor(window! < >, tumbling = 30s, grace = 2s)]
fn approve() {}

#[reactor(window! = "brake", tumbling = 30s, grace = 2s)]
fn other() {}

fn main() {}
