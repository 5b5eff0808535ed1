//! What a handler is handed of its records.

use fusion::{Gather, Merge, Window, prelude::*};
use serde::{Deserialize, Serialize};

use crate::story::{LATER, Reading, Seen, Story, fired, seen};

#[tokio::test(flavor = "multi_thread")]
async fn a_vec_is_in_the_order_of_time_topic_partition_and_offset_and_an_option_is_its_last() {
    #[reactor(
        window! < readings: "order.lidar" | "order.brake" by id; others: "order.camera" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "order.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, others: Option<Reading>, window: Window) -> Seen {
        seen(id, readings.into_iter().chain(others), window)
    }
    let mut story = Story::over(&["order.lidar", "order.brake", "order.camera"], 2, "order.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let send = async |topic: &str, partition: i32, value: u32, time: i64| {
        story.raw.send(story.reading(topic, "a", value, time).partition(partition)).await;
    };
    send("order.brake", 1, 9, 5_000).await;
    send("order.brake", 0, 7, 5_000).await;
    send("order.brake", 0, 8, 5_000).await;
    send("order.lidar", 1, 5, 5_000).await;
    send("order.lidar", 1, 6, 5_000).await;
    send("order.lidar", 0, 4, 5_000).await;
    send("order.brake", 1, 1, 4_999).await;
    send("order.camera", 1, 22, 7_000).await;
    send("order.camera", 0, 21, 7_000).await;
    send("order.camera", 1, 20, 6_999).await;
    let results = story.finish(LATER).await;
    let mut expected = fired("a", &[1, 4, 5, 6, 7, 8, 9, 22], 0..10_000, "closed");
    expected.count = 10;
    assert_eq!(results, [expected]);
    app.shutdown().await.unwrap();
}

/// What came, as it came, and from where.
#[derive(Default, Clone, Debug, Serialize, Deserialize)]
struct Arrivals(Vec<(u32, String, i32, i64)>);

impl Gather for Arrivals {
    type Item = Reading;
    fn add(&mut self, item: Reading, cx: &Context) {
        self.0.push((item.value, cx.topic().to_owned(), cx.partition(), cx.offset()));
    }
}

impl Merge for Arrivals {
    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gather_of_ones_own_is_given_the_order_of_arrival_and_merges_with_sessions() {
    #[reactor(
        window! < arrivals: "arrivals.brake" by id >,
        session = 10s, longest = 1h, grace = 1m, idle = never, to = "arrivals.results",
    )]
    fn gather(arrivals: Arrivals) -> Arrivals {
        arrivals
    }
    let mut story = Story::begin(&["arrivals.brake"], "arrivals.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let mut offsets = Vec::new();
    for (value, time) in [(1, 20_000), (2, 5_000), (3, 21_000), (4, 4_000), (5, 13_000)] {
        offsets.push(story.send("arrivals.brake", "a", value, time).await.1);
    }
    // `finish` reads results of another form.
    story.pass(LATER).await;
    let record = story.record().await;
    let Arrivals(arrivals) = serde_json::from_value(record.json()).unwrap();
    let values: Vec<u32> = arrivals.iter().map(|(value, ..)| *value).collect();
    // Of two sessions the one that began to gather first gathers on.
    assert_eq!(values, [1, 3, 2, 4, 5]);
    for (value, topic, partition, offset) in arrivals {
        assert_eq!((&*topic, partition, offset), ("arrivals.brake", 0, offsets[value as usize - 1]));
    }
    app.shutdown().await.unwrap();
}
