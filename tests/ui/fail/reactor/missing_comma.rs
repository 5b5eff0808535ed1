#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum" retry = 3)]
fn sum() {}

fn main() {}
