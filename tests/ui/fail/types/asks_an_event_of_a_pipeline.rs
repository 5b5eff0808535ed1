#![allow(unused)]

use fusion::prelude::*;

#[contract(topic = "done")]
pub fn done(id: u64);

async fn asks(pipeline: Pipeline) {
    pipeline.ask::<done>((1,)).await;
}

fn main() {}
