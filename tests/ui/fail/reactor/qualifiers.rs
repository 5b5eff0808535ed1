#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "one")]
const fn one() {}

#[reactor(topic = "two")]
unsafe fn two() {}

#[reactor(topic = "three")]
extern "C" fn three() {}

fn main() {}
