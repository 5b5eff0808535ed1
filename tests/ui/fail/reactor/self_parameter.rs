#![allow(unused)]

use fusion::prelude::*;

struct Service;

impl Service {
    #[reactor(topic = "sum")]
    fn sum(&self, number: i64) -> i64 {
        number
    }
}

fn main() {}
