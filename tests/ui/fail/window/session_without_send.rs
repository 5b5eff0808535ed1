#![allow(unused)]

use std::rc::Rc;

use fusion::{Gather, Merge, prelude::*};

#[derive(Default)]
struct Visits(Vec<Rc<u64>>);

impl Gather for Visits {
    type Item = u64;
    fn add(&mut self, visit: u64, _: &Context) {
        self.0.push(Rc::new(visit));
    }
}

impl Merge for Visits {
    fn merge(&mut self, other: Visits) {
        self.0.extend(other.0);
    }
}

#[reactor(window! < visits: "visits" by |visit| *visit >, session = 30m, longest = 8h, grace = 1m)]
fn visit(visits: Visits) {
    drop(visits);
}

fn main() {}
