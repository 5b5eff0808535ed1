#![allow(unused)]

use std::rc::Rc;

use fusion::{Gather, prelude::*};

#[derive(serde::Deserialize, Clone)]
struct Reading {
    sensor: String,
    value: f64,
}

#[derive(Default, Clone)]
struct Hottest(Option<Rc<Reading>>);

impl Gather for Hottest {
    type Item = Reading;
    fn add(&mut self, reading: Reading, _: &Context) {
        self.0 = Some(Rc::new(reading));
    }
}

#[reactor(window! < hottest: "readings" by sensor >, tumbling = 5m, grace = 10s, emit = updates, to = "peaks")]
fn peak(sensor: Key<String>, hottest: Hottest) -> String {
    sensor.to_string()
}

// Nor has a list with such a window an error of its own.
fn list() {
    reactors![peak];
}

fn main() {}
