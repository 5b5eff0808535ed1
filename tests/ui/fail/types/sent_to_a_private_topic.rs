#![allow(unused)]

use fusion::prelude::*;

mod services {
    use fusion::prelude::*;

    #[reactor(topic = "audit")]
    fn audit(entry: String) {}
}

#[reactor(topic = "sum", to = "audit")]
fn sum(text: String) -> String {
    text
}

fn main() {}
