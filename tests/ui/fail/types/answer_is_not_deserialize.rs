#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Serialize)]
pub struct Report;

#[contract(topic = "report")]
pub fn report() -> Report;

#[reactor(topic = "sum", deps! < one: "report"() >)]
fn sum() -> i64 {
    1
}

fn main() {}
