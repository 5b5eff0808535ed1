#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "a", deps! < one: "b"(1) >)]
fn a(id: i64, one: i64) -> i64 {
    id + one
}

#[reactor(topic = "b", deps! < one: "c"(1) >)]
fn b(id: i64, one: i64) -> i64 {
    id + one
}

#[reactor(topic = "c", deps! < one: a(1) >)]
fn c(id: i64, one: i64) -> i64 {
    id + one
}

#[reactor(topic = "leads", deps! < one: "a"(1) >)]
fn leads(one: i64) -> i64 {
    one
}

fn main() {}
