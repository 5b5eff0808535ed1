//! What the end-to-end tests share: a cluster, and a view of its topics that does not go through fusion.
//!
//! The tests run on a broker inside the process, a fresh one for each [`cluster`]. With `KAFKA_BOOTSTRAP_SERVERS` set
//! the same tests run on that cluster, where topics and groups live on: so each test has topics and groups of its own,
//! and looks only at what was written after it began.

#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses its part of it")]

mod poll;
mod raw;
mod tail;

use std::{future::Future, panic::Location, time::Duration};

use fusion::{App, Config, Running, TopicPolicy};
use fusion_runtime::broker::{TopicSpec, topics};

pub use poll::{eventually, eventually_async, patiently};
pub use raw::{Delivered, Raw, Record};
pub use tail::Tail;

/// How long a test waits for what must come. Only a failing test waits that long.
pub const SOON: Duration = Duration::from_secs(20);

/// A fresh broker inside this process, or the cluster that the environment names.
pub fn cluster() -> Config {
    if on_real() {
        // A test that failed leaves a member behind, which the next run must not wait for.
        Config::from_env().unwrap().consumer_set("session.timeout.ms", "6000")
    } else {
        Config::embedded().unwrap()
    }
}

/// Whether the tests run on a cluster that the environment names.
pub fn on_real() -> bool {
    std::env::var_os("KAFKA_BOOTSTRAP_SERVERS").is_some()
}

/// `prefix` and something that no other call gives.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}.{}", uuid::Uuid::new_v4().simple())
}

/// Creates topics that do not exist yet, with so many partitions.
pub async fn create(config: &Config, topics: &[&str], partitions: i32) {
    let spec = |topic: &&str| TopicSpec { partitions: Some(partitions), ..TopicSpec::named(*topic) };
    ensure(config, topics.iter().map(spec).collect()).await;
}

/// Creates a topic with so many partitions and a configuration of its own, of which the broker in this process takes no notice.
pub async fn create_with(config: &Config, topic: &str, partitions: i32, own: &[(&str, &str)]) {
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let spec = TopicSpec { partitions: Some(partitions), config: own.collect(), ..TopicSpec::named(topic) };
    ensure(config, vec![spec]).await;
}

async fn ensure(config: &Config, specs: Vec<TopicSpec>) {
    let config = config.clone();
    let made =
        tokio::task::spawn_blocking(move || topics::ensure(&config, &specs, TopicPolicy::default())).await;
    made.unwrap().unwrap();
}

/// Starts an app and waits until it has its partitions.
pub async fn start<S>(app: App<S>) -> Running {
    let running = app.start().await.unwrap();
    within(SOON, running.assigned()).await;
    running
}

/// Waits for a future, and panics where it was called when that takes longer than `limit`.
#[track_caller]
pub fn within<F: Future>(limit: Duration, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        match tokio::time::timeout(limit, future).await {
            Ok(output) => output,
            Err(_) => panic!("not within {limit:?}, at {caller}"),
        }
    }
}
