#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "add")]
pub struct Add;

fn main() {}
