#![allow(unused)]

use fusion::prelude::*;

use std::borrow::Cow;

#[reactor(topic = "one")]
fn one(text: &str, list: &[i64], value: Option<&u64>, cow: Cow<'_, str>) -> i64 {
    1
}

#[reactor(topic = "two")]
fn two() -> &'static str {
    "two"
}

#[reactor(topic = "three")]
fn three(payload: &'static str, handed_in: State<&str>, both: State<&'static &u8>, cow: State<Cow<'_, str>>) {}

fn main() {}
