#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic, within, envelope)]
fn sum() {}

fn main() {}
