#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
async fn sum(one: i64) -> i64 {
    let shared = std::rc::Rc::new(one);
    std::future::ready(()).await;
    *shared
}

fn main() {}
