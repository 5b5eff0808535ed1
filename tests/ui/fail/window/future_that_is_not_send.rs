#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[reactor(window! < triggers: "brake" by id >, tumbling = 30s, grace = 1s)]
async fn approve(triggers: Vec<Trigger>) {
    let shared = std::rc::Rc::new(triggers);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
