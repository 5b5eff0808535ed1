#![allow(unused)]

use fusion::prelude::*;

#[reactor("sum", 3)]
fn sum() {}

fn main() {}
