#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum", retry = 3, topic = "other", retry = 4)]
fn sum() {}

fn main() {}
