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

#[reactor(window! < triggers: "brake" by id >, session = 30s, longest = 1m, grace = 1s)]
fn approve(triggers: Count) {}

fn main() {}
