#![allow(unused)]

use fusion::prelude::*;

#[reactor(topic = "sum")]
fn sum(one: i64, db: State<String>, cache: State<u8>) -> i64 {
    one
}

fn main() {
    let config = Config::new("localhost:9092");
    App::new("app", config).state(1_u8).reactors(reactors![sum]);
}
