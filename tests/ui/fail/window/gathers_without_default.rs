#![allow(unused)]

use fusion::{Gather, prelude::*};

#[derive(serde::Deserialize, Clone)]
struct Reading {
    sensor: String,
    value: f64,
}

#[derive(Clone)]
struct Hottest(f64);

impl Gather for Hottest {
    type Item = Reading;
    fn add(&mut self, reading: Reading, _: &Context) {
        self.0 = self.0.max(reading.value);
    }
}

#[reactor(window! < hottest: "readings" by sensor >, tumbling = 5m, grace = 10s, to = "peaks")]
fn peak(sensor: Key<String>, hottest: Hottest) -> f64 {
    hottest.0
}

fn main() {}
