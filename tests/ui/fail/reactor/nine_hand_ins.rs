#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(a: Context, b: Context, c: Context, d: Context, e: Context, f: Context, g: Context, h: Context, i: Context) {}

fn main() {}
