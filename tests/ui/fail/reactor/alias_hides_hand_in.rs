#![allow(unused)]

use fusion::prelude::*;

type Db = State<String>;
type Place = Context;

#[reactor(topic = "sum")]
fn sum(db: Db, place: Place, #[hand_in] again: Db) -> i64 {
    1
}

fn main() {}
