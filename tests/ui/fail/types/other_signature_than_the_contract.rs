#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "ship")]
pub fn ship(article: String, amount: u32) -> u64;

#[reactor(topic = ship)]
fn other_types(article: u64, amount: u32) -> String {
    format!("{article}{amount}")
}

#[reactor(topic = ship)]
fn too_few(article: String) -> u64 {
    1
}

#[reactor(topic = ship)]
fn too_many(article: String, amount: u32, more: bool) -> u64 {
    1
}

#[reactor(topic = ship)]
fn no_answer(article: String, amount: u32) {}

fn main() {}
