#![allow(unused)]

use fusion::{prelude::*, testing::Tester};

#[reactor(window! < readings: "readings" by |_| 1 >, tumbling = 5m, grace = 10s, to = "peaks")]
fn peak(readings: Vec<f64>) -> f64 {
    1.0
}

async fn asks(pipeline: Pipeline) {
    pipeline.ask::<peak>((1.0,)).await;
}

async fn sends(pipeline: Pipeline) {
    pipeline.send::<peak>((1.0,)).await;
}

async fn runs(tester: Tester) {
    tester.run::<peak>((1.0,)).await;
}

fn main() {}
