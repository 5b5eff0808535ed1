#![allow(unused)]

use fusion::prelude::*;

#[reactor(topik = "sum", topic = "sum", retries = 3, colour = red)]
fn sum() {}

fn main() {}
