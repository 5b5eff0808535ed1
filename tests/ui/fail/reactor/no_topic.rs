#![allow(unused)]

use fusion::prelude::*;

#[reactor]
fn first() {}

#[reactor(name = "second")]
fn second() {}

fn main() {}
