//! What a window does not begin with, or does not go on with; each says what is wrong and what to do.

use std::sync::Arc;

use fusion::{Error, Running, Window, prelude::*};

use crate::{
    common::{Record, SOON, create, within},
    story::{Reading, Seen, Story, seen},
};

/// Why the app ended: partition, offset, and the reason.
async fn why(app: &Running) -> (i32, i64, String) {
    let error: Arc<Error> = within(SOON, app.failed()).await;
    let Error::Window { partition, offset, reason, .. } = &*error else { panic!("{error}") };
    (*partition, *offset, reason.clone())
}

fn reason<T>(refused: Result<T, Error>) -> String {
    match refused {
        Err(Error::WindowStart { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[reactor(
    window! < readings: "refused.brake" | "refused.lidar" by id >,
    tumbling = 10s, grace = 0s, idle = never, to = "refused.results",
)]
fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_copartitioned_window_gathers_nobody_else_serves() {
    #[reactor(topic = "refused.lidar")]
    fn serve(reading: Reading) -> u32 {
        reading.value
    }
    #[reactor(
        window! < readings: "refused.lidar" by id >,
        tumbling = 10s, grace = 0s, copartitioned, to = "refused.results",
    )]
    fn alone(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["refused.brake", "refused.lidar"], "refused.results").await;
    for both in [
        story.app().reactors(reactors![alone]).reactors(reactors![serve]),
        story.app().reactors(reactors![serve]).reactors(reactors![alone]),
    ] {
        let error = both.start().await.unwrap_err();
        let Error::ServedAndGathered { app, topic, reactor, window } = &error else { panic!("{error}") };
        assert_eq!((&**app, &**topic, *reactor, *window), (&*story.group, "refused.lidar", "serve", "alone"));
        let end = "window `alone`, which is `copartitioned` and commits the topic by what its open windows need: remove \
                   `copartitioned`, or put one of them into an app of its own";
        assert!(error.to_string().ends_with(end), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copartitioned_window_is_its_sources_only_user() {
    #[reactor(
        window! < readings: "refused.lidar" by id >,
        tumbling = 10s, grace = 0s, copartitioned, to = "refused.results",
    )]
    fn alone(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["refused.brake", "refused.lidar"], "refused.results").await;
    for both in [
        story.app().reactors(reactors![gather]).reactors(reactors![alone]),
        story.app().reactors(reactors![alone]).reactors(reactors![gather]),
    ] {
        let error = both.start().await.unwrap_err();
        let Error::NotAlone { window, other, .. } = &error else { panic!("{error}") };
        assert_eq!((*window, *other), ("alone", "gather"));
        assert!(
            error.to_string().ends_with("in `gather`, too: put one of them into an app of its own"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_another_size_is_refused() {
    let story = Story::over(&["refused.brake", "refused.lidar"], 2, "refused.results").await;
    let partitions = story.look().partitions("refused.brake");
    create(&story.config, &[&story.log("gather")], partitions + 1).await;
    let reason = reason(story.app().reactors(reactors![gather]).start().await);
    assert_eq!(
        reason,
        format!(
            "its log `{}` has {} partitions, but the largest of its sources has {partitions}: keys would meet elsewhere. Give \
             the window another `name` to begin anew",
            story.log("gather"),
            partitions + 1
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_into_the_log_is_refused() {
    let story = Story::begin(&["refused.brake", "refused.lidar"], "refused.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let foreign = Record::to(story.log("gather")).key("a").value("{}").partition(0);
    let (_, place) = story.raw.send(foreign).await;
    let found = why(&app).await;
    let reason = "a record of somebody else's: nobody but us writes into the log".to_owned();
    assert_eq!(found, (0, place, reason));
    app.shutdown().await.unwrap();
    // Nothing is committed behind it, so whoever starts the app again hears the same.
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(why(&app).await, found);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_open_keys_than_allowed_stop_the_app() {
    #[reactor(
        window! < readings: "bounded.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "bounded.results", max_open(keys = 3)
    )]
    fn few(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["bounded.brake"], "bounded.results").await;
    let app = story.start(story.app().reactors(reactors![few])).await;
    for id in ["a", "b", "c", "a"] {
        story.send("bounded.brake", id, 1, 0).await;
    }
    // Three are allowed, again and again.
    story.send("bounded.brake", "d", 2, 10_000).await;
    for _ in 0..3 {
        story.result().await;
    }
    for id in ["e", "f"] {
        story.send("bounded.brake", id, 3, 10_000).await;
    }
    story.send("bounded.brake", "g", 4, 10_000).await;
    let (partition, _, reason) = why(&app).await;
    assert_eq!(partition, 0);
    assert_eq!(
        reason,
        "4 windows are open, more than `max_open(keys = 3)` allows in a partition. Raise `max_open`; or make windows \
         shorter or give the topics more partitions, both under another `name`"
    );
    app.shutdown().await.unwrap();
    assert_eq!(story.results.rest(), [], "nothing fires because of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_open_bytes_than_allowed_stop_the_app() {
    #[reactor(
        window! < readings: "heavy.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned, to = "heavy.results", max_open(bytes = 100_000)
    )]
    fn light(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["heavy.brake"], "heavy.results").await;
    let app = story.start(story.app().reactors(reactors![light])).await;
    let heavy = |id: &str, time| story.reading("heavy.brake", id, 1, time).header("much", vec![7; 40_000]);
    for record in [heavy("a", 0), heavy("b", 0), heavy("c", 10_000), heavy("d", 10_000)] {
        story.raw.send(record).await;
    }
    for _ in 0..2 {
        story.result().await;
    }
    let (_, place) =
        story.raw.send(story.reading("heavy.brake", "e", 1, 10_000).header("much", vec![7; 40_000])).await;
    let (partition, offset, reason) = why(&app).await;
    assert_eq!((partition, offset), (0, place + 1));
    assert!(reason.starts_with("open windows hold 12"), "{reason}");
    assert!(
        reason
            .contains(" bytes, more than `max_open(bytes = 100000)` allows in a partition. Raise `max_open`"),
        "{reason}"
    );
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn copartitioned_sources_have_the_same_partitions() {
    #[reactor(
        window! < readings: "counts.one" | "counts.two" by id >,
        tumbling = 10s, grace = 0s, copartitioned, to = "counts.results",
    )]
    fn uneven(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["counts.one"], "counts.results").await;
    create(&story.config, &["counts.two"], 2).await;
    let refused = story.app().reactors(reactors![uneven]).start().await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the window `uneven` cannot start: `copartitioned` sources must have the same number of partitions, but there are `counts.one` 1, `counts.two` 2. \
         Remove `copartitioned`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copartitioned_record_lies_where_its_key_belongs() {
    #[reactor(
        window! < readings: "misplaced.brake" by id >,
        tumbling = 10s, grace = 0s, copartitioned, to = "misplaced.results",
    )]
    fn placed(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::over(&["misplaced.brake"], 3, "misplaced.results").await;
    let mut app = story.start(story.app().reactors(reactors![placed])).await;
    // Neither partitioner puts it there.
    let (partition, offset) = story.raw.send(story.reading("misplaced.brake", "a", 1, 0).partition(2)).await;
    let reason = "a record of topic `misplaced.brake` does not lie in the partition of its window's key: the sources are \
                  not partitioned by it, or each in another way, or have got more partitions since. Remove \
                  `copartitioned`";
    // Nothing is committed behind it, so whoever starts the app again hears the same.
    for _ in 0..2 {
        assert_eq!(why(&app).await, (partition, offset, reason.to_owned()));
        app.shutdown().await.unwrap();
        app = story.start(story.app().reactors(reactors![placed])).await;
    }
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_other_topics_needs_another_name() {
    #[reactor(
        window! < readings: "renamed.brake" | "renamed.lidar" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "renamed.results", name = "renamed"
    )]
    fn before(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "renamed.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "renamed.results", name = "renamed"
    )]
    fn after(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["renamed.brake", "renamed.lidar"], "renamed.results").await;
    let app = story.start(story.app().reactors(reactors![before])).await;
    story.send("renamed.lidar", "a", 1, 0).await;
    let is_open = || app.windows()[0].partitions.iter().any(|partition| partition.open > 0);
    crate::common::eventually(SOON, is_open).await;
    app.shutdown().await.unwrap();
    let app = story.app().reactors(reactors![after]).start().await.unwrap();
    let (_, _, reason) = why(&app).await;
    assert!(
        reason.contains("as `tumbling = 10s, grace = 0s`, over other topics or in another order"),
        "{reason}"
    );
    assert!(reason.ends_with("or give the window another `name`"), "{reason}");
    app.shutdown().await.unwrap();
}

/// What a reader says of a quiet partition holds for `idle`, and is committed with the interval.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_that_no_commit_keeps_up_with() {
    #[reactor(
        window! < readings: "refused.brake" by id >,
        tumbling = 10s, grace = 0s, idle = 299ms, to = "refused.results",
    )]
    fn hasty(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["refused.brake"], "refused.results").await;
    let config = story.config.clone().commit_interval(std::time::Duration::from_millis(100));
    let reason = reason(fusion::App::new(&story.group, config).reactors(reactors![hasty]).start().await);
    assert!(reason.starts_with("`idle` is 299ms, less than three commit intervals of 100ms"), "{reason}");
    let running = story.start(story.app().reactors(reactors![hasty])).await;
    running.shutdown().await.unwrap();
}
