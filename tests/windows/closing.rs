//! When windows close.

use std::time::{SystemTime, UNIX_EPOCH};

use fusion::{Start, Window, prelude::*};
use serde::{Deserialize, Serialize};

use crate::common::{Raw, Record, Tail, cluster, create, start, unique};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trigger {
    id: Option<String>,
    value: u32,
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn trigger(topic: &str, id: &str, value: u32, time: i64) -> Record {
    Record::to(topic).value(serde_json::json!({"id": id, "value": value}).to_string()).timestamp(time)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_window_closes_by_itself() {
    #[reactor(
        window! < triggers: "closing.brake" | "closing.lidar" by id >,
        tumbling = 1s, grace = 0s, idle = 300ms,
        to = "closing.approvals",
    )]
    async fn approve(id: Key<String>, triggers: Vec<Trigger>, window: Window) -> (String, u32, u64) {
        (id.0, triggers.iter().map(|trigger| trigger.value).sum(), window.count())
    }

    let config = cluster().start(Start::Latest);
    create(&config, &["closing.brake", "closing.lidar", "closing.approvals"], 2).await;
    let raw = Raw::new(&config);
    let mut results = Tail::at_end(&config, "closing.approvals").await;
    let app = start(App::new(unique("closing"), config.clone()).reactors(reactors![approve])).await;
    let time = now();
    raw.send(trigger("closing.brake", "a", 1, time)).await;
    raw.send(trigger("closing.lidar", "a", 2, time)).await;
    let t0 = std::time::Instant::now();
    let record = results.one().await;
    eprintln!("result after {:?} {:?}", t0.elapsed(), record.headers);
    assert_eq!(record.json(), serde_json::json!(["a", 3, 2]));
    let t0 = std::time::Instant::now();
    app.shutdown().await.unwrap();
    eprintln!("shutdown {:?}", t0.elapsed());
}
