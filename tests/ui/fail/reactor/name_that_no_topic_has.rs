#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "one", name = "my reactor")]
fn one() {}

#[reactor(topic = "size")]
fn größe() {}

fn main() {}
