#![allow(unused)]

use fusion::prelude::*;

struct Tenant;

#[reactor(topic = "sum")]
fn sum(#[hand_in] tenant: Tenant) -> i64 {
    1
}

fn main() {}
