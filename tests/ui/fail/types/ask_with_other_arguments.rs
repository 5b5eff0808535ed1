#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Order {
    id: i64,
}

#[contract(topic = "order")]
fn place(order: Order) -> i64;

#[contract(topic = "several")]
fn several(text: String, number: i64, more: Option<bool>) -> i64;

#[contract(topic = "number")]
fn number(number: i64) -> i64;

fn mistakes(pipeline: Pipeline, order: Order) {
    pipeline.ask::<several>(("a", "b"));
    pipeline.ask::<several>(("a",));
    pipeline.ask::<several>(("a", 1, true, 2));
    pipeline.ask::<number>("a");
    pipeline.send::<number>(());
    pipeline.ask::<place>(order);
}

fn main() {}
