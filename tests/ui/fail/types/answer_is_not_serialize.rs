#![allow(unused)]

use fusion::prelude::*;

struct Report;

#[reactor(topic = "sum")]
fn sum(one: i64) -> Report {
    Report
}

#[reactor(topic = "result")]
fn result(one: i64) -> Result<Report, String> {
    Ok(Report)
}

fn main() {}
