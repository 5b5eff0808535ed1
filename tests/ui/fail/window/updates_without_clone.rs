#![allow(unused)]

use fusion::prelude::*;
use fusion::Gather;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[derive(Default)]
struct Count(u64);

impl Gather for Count {
    type Item = Trigger;
    fn add(&mut self, _: Trigger, _: &Context) {
        self.0 += 1;
    }
}

#[reactor(window! < triggers: "brake" by id; others: "lidar" by id >, tumbling = 30s, grace = 1s, emit = updates)]
fn approve(triggers: Count, others: Vec<Trigger>) {}

fn main() {}
