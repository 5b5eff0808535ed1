#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
struct Sum;

#[reactor(topic = "module")]
mod module {}

fn main() {}
