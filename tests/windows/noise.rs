//! A topic of which no record says a word about time.

use std::time::Duration;

use fusion::{App, Window, prelude::*};

use crate::{
    common::{Record, SOON, eventually},
    story::{DAY, Reading, SECOND, Seen, Story, fired, now, seen},
};

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nobody_can_read_hold_no_window_back() {
    #[reactor(
        window! < readings: "noise.brake" | "noise.lidar" by id at time >,
        tumbling = 1s, grace = 0s, idle = 1s, to = "noise.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    holds_nothing_back(&["noise.brake", "noise.lidar"], "noise.results", |story| {
        story.app().reactors(reactors![gather])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copartitioned_topic_of_noise_holds_nothing_back() {
    #[reactor(
        window! < readings: "co.noise.brake" | "co.noise.lidar" by id at time >,
        tumbling = 1s, grace = 0s, idle = 1s, copartitioned, to = "co.noise.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    holds_nothing_back(&["co.noise.brake", "co.noise.lidar"], "co.noise.results", |story| {
        story.app().reactors(reactors![gather])
    })
    .await;
}

/// The second topic has nothing but noise, and then something to say.
async fn holds_nothing_back(sources: &'static [&'static str; 2], to: &str, app: impl Fn(&Story) -> App) {
    let [brake, lidar] = *sources;
    let mut story = Story::begin(sources, to).await;
    // With the 5 ms of the embedded broker, there would be ends between the records.
    story.config = story.config.clone().consumer_set("fetch.wait.max.ms", "200");
    let app = story.start(app(&story)).await;
    let raw = story.raw.clone();
    let noise = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        for count in 0.. {
            pace.tick().await;
            // Not decodable, without a key, before 1970, a year ahead: what else is no word about time.
            let value = match count % 4 {
                0 => "{".to_owned(),
                1 => r#"{"id": null, "value": 2, "time": 1}"#.to_owned(),
                2 => r#"{"id": "a", "value": 3, "time": -1}"#.to_owned(),
                _ => format!(r#"{{"id": "a", "value": 4, "time": {}}}"#, now() + 365 * DAY),
            };
            raw.send(Record::to(lidar).value(value).partition(0)).await;
        }
    });
    // The other topic never says a word about time.
    story.send(brake, "a", 1, 0).await;
    story.send(brake, "b", 2, SECOND).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..1_000, "closed"));
    // With the clock, once the first one is silent, too.
    assert_eq!(story.result().await, fired("b", &[2], 1_000..2_000, "idle"));
    // It has not been given up: what it says counts as soon as it speaks.
    story.send(lidar, "c", 3, 40 * SECOND).await;
    let awake = Some((lidar, 0));
    eventually(SOON, || {
        app.windows()[0]
            .partitions
            .iter()
            .any(|one| one.held_back_by.map(|by| (by.topic, by.partition)) == awake)
    })
    .await;
    story.send(brake, "c", 4, 40 * SECOND).await;
    story.send(brake, "d", 5, 50 * SECOND).await;
    story.send(lidar, "d", 6, 50 * SECOND).await;
    assert_eq!(story.result().await, fired("c", &[4, 3], 40_000..41_000, "closed"));
    noise.abort();
    app.shutdown().await.unwrap();
}
