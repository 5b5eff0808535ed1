#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "one")]
fn one<T: std::fmt::Display>(value: T) -> String {
    value.to_string()
}

#[reactor(topic = "two")]
fn two<'a>(value: &'a str) -> usize {
    value.len()
}

#[reactor(topic = "three")]
fn three<const N: usize>(value: [i64; N]) -> usize {
    value.len()
}

fn main() {}
