#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", to = "results")]
fn sum() {}

fn main() {}
