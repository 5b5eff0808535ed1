#![allow(unused)]

use fusion::prelude::*;

use fusion_runtime::reactor::{ReactorList, Set};

#[reactor(topic = "sum")]
fn sum(one: i64, db: State<String>, cache: State<u8>) -> i64 {
    one
}

struct App<S>(S);

impl<S> App<S> {
    fn reactors<L: ReactorList<S, I>, I>(self, _: Set<L>) {}
}

fn main() {
    App((1_u8, ())).reactors(reactors![sum]);
}
