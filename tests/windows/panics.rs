//! Code of the user's that panics while a window gathers: it costs that window, and never the app.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fusion::{Count, Error, Gather, KeyBytes, KeyError, Merge, Running, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    common::{SOON, Tail, unique, within},
    story::{LATER, Reading, Story},
};

/// The values that came, none of which may be 13; 14 cannot be merged, nor 15 copied.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Careful(Vec<u32>);

impl Gather for Careful {
    type Item = Reading;
    fn add(&mut self, item: Reading, _: &Context) {
        self.0.push(item.value);
        assert_ne!(item.value, 13, "no thirteen");
    }
}

impl Merge for Careful {
    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        assert!(!self.0.contains(&14), "no fourteen");
    }
}

impl Clone for Careful {
    fn clone(&self) -> Self {
        assert!(!self.0.contains(&15), "no fifteen");
        Careful(self.0.clone())
    }
}

/// What else came than the clock and its like.
async fn results(story: &mut Story, count: usize) -> BTreeMap<String, Vec<u32>> {
    let mut results = BTreeMap::new();
    while results.len() < count {
        let record = story.record().await;
        let Careful(values) = serde_json::from_value(record.json()).unwrap();
        results.insert(String::from_utf8(record.key.unwrap()).unwrap(), values);
    }
    results
}

fn one(key: &str, values: &[u32]) -> BTreeMap<String, Vec<u32>> {
    BTreeMap::from([(key.to_owned(), values.to_vec())])
}

fn counted(app: &Running) -> [u64; 3] {
    [Count::Panics, Count::Failed, Count::DeadLetters].map(|count| app.metrics().get(count))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_gathered_costs_its_window() {
    #[reactor(
        window! < values: "panics.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "panics.results",
    )]
    fn gather(values: Careful) -> Careful {
        values
    }
    let mut story = Story::begin(&["panics.brake"], "panics.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let mut offsets = Vec::new();
    for value in [1, 13, 2] {
        offsets.push(story.send("panics.brake", "bad", value, 0).await.1);
        story.send("panics.brake", "good", value + 100, 0).await;
    }
    story.pass(10_000).await;
    assert_eq!(results(&mut story, 1).await, one("good", &[101, 113, 102]));
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "panic");
    let message = letter.text("kafka_dlt-exception-message");
    let place = format!(
        "gathering the record of topic `panics.brake`, partition 0, offset {} panicked: ",
        offsets[1]
    );
    assert!(message.starts_with(&place) && message.contains("no thirteen"), "{message}");
    let records: Vec<_> = offsets.iter().map(|offset| ("panics.brake", 0, *offset)).collect();
    assert_eq!((&letter.json()["key"], &letter.json()["records"]), (&json!("bad"), &json!(records)));
    assert_eq!(counted(&app), [1, 1, 1]);
    // What is open is gathered again by the next owner, and fails again: once.
    story.send("panics.brake", "bad", 13, 10_000).await;
    story.send("panics.brake", "good", 5, 10_000).await;
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("panics.brake", "bad", 6, 10_000).await;
    story.pass(LATER).await;
    assert_eq!(results(&mut story, 1).await, one("good", &[5]));
    assert_eq!(letters.one().await.json()["count"], 2);
    assert_eq!((counted(&app), letters.rest()), ([1, 1, 1], vec![]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn copartitioned_windows_go_on_too() {
    #[reactor(
        window! < values: "panics.co.brake" | "panics.co.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, complete = all, copartitioned, to = "panics.co.results",
    )]
    fn gather(values: Careful) -> Careful {
        values
    }
    let mut story = Story::begin(&["panics.co.brake", "panics.co.lidar"], "panics.co.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("panics.co.brake", "bad", 13, 0).await;
    // It is complete all the same.
    story.send("panics.co.lidar", "bad", 1, 0).await;
    assert_eq!(letters.one().await.text("fusion-window-reason"), "complete");
    story.send("panics.co.brake", "good", 2, 0).await;
    story.send("panics.co.lidar", "good", 3, 0).await;
    let found = results(&mut story, 1).await;
    assert!(found == one("good", &[2, 3]) || found == one("good", &[3, 2]), "{found:?}");
    assert_eq!(counted(&app), [1, 1, 1]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_cannot_be_merged_fail_as_one() {
    #[reactor(
        window! < values: "panics.merge.brake" by id >,
        session = 10s, longest = 1h, grace = 1m, idle = never, to = "panics.merge.results",
    )]
    fn gather(values: Careful) -> Careful {
        values
    }
    let mut story = Story::begin(&["panics.merge.brake"], "panics.merge.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for (id, value, time) in [("bad", 1, 0), ("bad", 14, 20_000), ("good", 2, 0), ("good", 3, 20_000)] {
        story.send("panics.merge.brake", id, value, time).await;
    }
    for (id, value) in [("bad", 4), ("good", 5)] {
        story.send("panics.merge.brake", id, value, 10_000).await;
    }
    story.pass(LATER).await;
    assert_eq!(results(&mut story, 1).await, one("good", &[2, 3, 5]));
    let letter = letters.one().await;
    let message = letter.text("kafka_dlt-exception-message");
    assert_eq!(message, "merging what two sessions gathered panicked: no fourteen");
    assert_eq!((&letter.json()["count"], counted(&app)), (&3.into(), [1, 1, 1]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_cannot_be_copied_fails_alone() {
    #[reactor(
        window! < values: "panics.copy.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, emit = updates, to = "panics.copy.results",
    )]
    fn gather(values: Careful) -> Careful {
        values
    }
    let mut story = Story::begin(&["panics.copy.brake"], "panics.copy.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for (id, value) in [("bad", 1), ("bad", 15), ("good", 2)] {
        story.send("panics.copy.brake", id, value, 0).await;
    }
    let expected = [one("bad", &[1]), one("good", &[2])];
    for expected in expected {
        assert_eq!(results(&mut story, 1).await, expected);
    }
    let message = letters.one().await.text("kafka_dlt-exception-message").to_owned();
    assert_eq!(message, "copying what was gathered panicked: no fifteen");
    assert_eq!(counted(&app), [1, 1, 1]);
    app.shutdown().await.unwrap();
}

/// A key that can be written and not be read if it is `cursed`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Blessed(String);

impl KeyBytes for Blessed {
    fn from_key(key: Option<&[u8]>) -> Result<Self, KeyError> {
        let key = serde_json::from_slice(key.unwrap_or_default()).unwrap();
        assert_ne!(key, "cursed", "no curses");
        Ok(Blessed(key))
    }
}

#[derive(Deserialize)]
struct Named {
    id: Blessed,
    value: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_handed_in_costs_its_window() {
    #[reactor(
        window! < names: "panics.key.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "panics.key.results",
    )]
    fn gather(id: Key<Blessed>, names: Vec<Named>) -> Careful {
        assert!(names.iter().all(|name| name.id == id.0));
        Careful(names.into_iter().map(|name| name.value).collect())
    }
    let mut story = Story::begin(&["panics.key.brake"], "panics.key.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for (id, value) in [("cursed", 1), ("blessed", 2)] {
        story.send("panics.key.brake", id, value, 0).await;
    }
    story.pass(10_000).await;
    assert_eq!(results(&mut story, 1).await, one("\"blessed\"", &[2]));
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "panic");
    let message = letter.text("kafka_dlt-exception-message");
    assert!(
        message.starts_with("handing in a parameter panicked: ") && message.contains("no curses"),
        "{message}"
    );
    app.shutdown().await.unwrap();
}

/// A record that cannot be copied if its value is 16.
#[derive(Deserialize)]
struct Fragile {
    id: String,
    value: u32,
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(self.value, 16, "no sixteen");
        Fragile { id: self.id.clone(), value: self.value }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_copied_costs_the_windows_that_share_it() {
    #[reactor(
        window! < values: "panics.share.brake" by id >,
        hopping = 20s, advance = 10s, grace = 0s, idle = never, retry = 0, to = "panics.share.results",
    )]
    fn gather(values: Vec<Fragile>) -> Careful {
        Careful(values.into_iter().map(|fragile| fragile.value).collect())
    }
    let mut story = Story::begin(&["panics.share.brake"], "panics.share.results").await;
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    for (id, value) in [("bad", 1), ("bad", 16), ("good", 2)] {
        story.send("panics.share.brake", id, value, 15_000).await;
    }
    story.pass(20_000).await;
    assert_eq!(results(&mut story, 1).await, one("good", &[2]));
    let letter = letters.one().await;
    let message = letter.text("kafka_dlt-exception-message");
    assert!(
        message.starts_with("copying the record of topic `panics.share.brake`, partition 0"),
        "{message}"
    );
    assert_eq!(letter.json()["count"], 2);
    story.pass(LATER).await;
    // The last one takes the record itself.
    let found = [results(&mut story, 1).await, results(&mut story, 1).await];
    assert_eq!(found, [one("bad", &[1, 16]), one("good", &[2])]);
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

/// What cannot even be dropped if its value is 17.
#[derive(Deserialize)]
struct Bomb {
    id: String,
    value: u32,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(self.value != 17 || std::thread::panicking(), "no seventeen");
    }
}

/// Why the app ended.
async fn ended(app: &Running) -> (i32, i64, String) {
    let error = within(SOON, app.failed()).await;
    let Error::Window { partition, offset, reason, .. } = &*error else { panic!("{error}") };
    (*partition, *offset, reason.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_panics_ends_the_app_and_says_so() {
    #[reactor(
        window! < bombs: "panics.drop.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never,
    )]
    fn moved(bombs: Vec<Bomb>) {
        drop(bombs);
    }
    #[reactor(
        window! < bombs: "panics.drop.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned,
    )]
    fn direct(bombs: Vec<Bomb>) {
        drop(bombs);
    }
    let story = Story::begin(&["panics.drop.brake", "panics.drop.lidar"], "panics.drop.results").await;
    let apps = [
        ("panics.drop.brake", story.app().reactors(reactors![moved]).start().await),
        (
            "panics.drop.lidar",
            App::new(unique("panics"), story.config.clone()).reactors(reactors![direct]).start().await,
        ),
    ];
    for (topic, app) in apps {
        let app = app.unwrap();
        within(SOON, app.assigned()).await;
        story.send(topic, "a", 1, 20_000).await;
        // Late, it is dropped by the one who reads it.
        let (partition, offset) = story.send(topic, "a", 17, 0).await;
        let (told, next, reason) = ended(&app).await;
        assert_eq!((told, next), (partition, offset + 1));
        assert!(reason.contains("panicked, in the `Drop` of something that is gathered"), "{reason}");
        let began = Instant::now();
        app.shutdown().await.unwrap();
        // Nothing is left that would keep its client open, and with it the group waiting for its member.
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}
