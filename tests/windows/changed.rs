//! Windows that are declared otherwise than when they were opened.

use fusion::{App, Error, Window, prelude::*};

use crate::{
    common::{SOON, Tail, eventually, within},
    story::{Reading, Seen, Story, fired, seen},
};

/// Why an app does not start, or does not go on.
async fn refused(app: App) -> String {
    let error = match app.start().await {
        Err(error) => error.into(),
        Ok(app) => {
            let error = within(SOON, app.failed()).await;
            app.shutdown().await.unwrap();
            error
        }
    };
    match &*error {
        Error::Window { name: "changed", partition: 0, reason, .. } => reason.clone(),
        other => panic!("{other}"),
    }
}

/// What `before` opens, `after` does not go on with; once it is drained, it does with what is new.
async fn until_it_is_drained(
    mut story: Story,
    before: impl Fn(&Story) -> App,
    after: impl Fn(&Story) -> App,
) -> String {
    let topic = story.topic();
    let app = story.start(before(&story)).await;
    story.send(topic, "a", 1, 0).await;
    story.send(topic, "b", 2, 32_000).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 2)).await;
    app.shutdown().await.unwrap();
    let reason = refused(after(&story)).await;
    let app = story.start(before(&story)).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 2)).await;
    app.drain().await.unwrap();
    app.shutdown().await.unwrap();
    assert_eq!(story.result().await, fired("a", &[1], 0..30_000, "drained"), "nothing was lost");
    assert_eq!(story.result().await, fired("b", &[2], 30_000..60_000, "drained"));
    let app = story.start(after(&story)).await;
    story.send(topic, "c", 3, 90_000).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    app.drain().await.unwrap();
    assert_eq!(story.result().await, fired("c", &[3], 90_000..120_000, "drained"));
    app.shutdown().await.unwrap();
    assert_eq!(story.results.rest(), []);
    reason
}

/// What fired with the grace of `before` does not take what comes within that of `after`, and does not fire again.
async fn stays_closed(mut story: Story, before: impl Fn(&Story) -> App, after: impl Fn(&Story) -> App) {
    let topic = story.topic();
    let mut late = Tail::at_end(&story.config, &format!("{topic}.late")).await;
    let app = story.start(before(&story)).await;
    story.send(topic, "a", 1, 0).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    app.drain().await.unwrap();
    assert_eq!(story.result().await, fired("a", &[1], 0..30_000, "drained"));
    app.shutdown().await.unwrap();
    for value in [2, 3] {
        let app = story.start(after(&story)).await;
        story.send(topic, "a", value, 1).await;
        assert_eq!(late.one().await.json()["value"], value);
        app.shutdown().await.unwrap();
    }
    let app = story.start(after(&story)).await;
    story.send(topic, "b", 4, 30_000).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    app.drain().await.unwrap();
    assert_eq!(story.result().await, fired("b", &[4], 30_000..60_000, "drained"));
    app.shutdown().await.unwrap();
    assert_eq!(story.results.rest(), []);
}

const HELP: &str = "Deploy the declaration that they were opened with once more and `drain` them, or give the window \
                    another `name`";

#[tokio::test(flavor = "multi_thread")]
async fn another_grace_is_refused_while_windows_are_open() {
    #[reactor(
        window! < readings: "changed.grace" by id >,
        tumbling = 30s, grace = 10s, idle = never, name = "changed", to = "changed.grace.to",
    )]
    fn before(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.grace" by id >,
        tumbling = 30s, grace = 2s, idle = never, name = "changed", to = "changed.grace.to",
    )]
    fn after(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["changed.grace"], "changed.grace.to").await;
    let (before, after) = (
        |story: &Story| story.app().reactors(reactors![before]),
        |story: &Story| story.app().reactors(reactors![after]),
    );
    assert_eq!(
        until_it_is_drained(story, before, after).await,
        format!(
            "windows are open that were declared as `tumbling = 30s, grace = 10s`, and are now declared as `tumbling = 30s, \
             grace = 2s`. They are decided again from the log, so results would get lost. {HELP}"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_copartitioned_windows_too() {
    #[reactor(
        window! < readings: "changed.size" by id >,
        tumbling = 30s, grace = 10s, idle = never, copartitioned, name = "changed", to = "changed.size.to",
    )]
    fn before(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.size" by id >,
        tumbling = 30s, grace = 10s, idle = never, emit = updates, copartitioned, name = "changed", to = "changed.other.to",
    )]
    fn updates(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.size" by id >,
        hopping = 30s, advance = 30s, grace = 0s, idle = never, copartitioned, name = "changed", to = "changed.size.to",
    )]
    fn after(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.size" by id >,
        tumbling = 30s, grace = 0s, idle = never, copartitioned, name = "anew", to = "changed.size.to",
    )]
    fn anew(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["changed.size"], "changed.size.to").await;
    crate::common::create(&story.config, &["changed.other.to"], 1).await;
    let app = story.start(story.app().reactors(reactors![before])).await;
    story.send("changed.size", "z", 7, 0).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    app.shutdown().await.unwrap();
    for other in [story.app().reactors(reactors![updates]), story.app().reactors(reactors![after])] {
        let reason = refused(other).await;
        assert!(reason.contains("declared as `tumbling = 30s, grace = 10s, copartitioned`"), "{reason}");
        assert!(reason.ends_with(HELP), "{reason}");
    }
    // Another window begins with what that one had open.
    let app = story.start(story.app().reactors(reactors![anew])).await;
    eventually(SOON, || app.windows()[0].partitions.first().is_some_and(|one| one.open == 1)).await;
    app.drain().await.unwrap();
    assert_eq!(story.result().await, fired("z", &[7], 0..30_000, "drained"));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_closed_stays_closed_with_a_longer_grace() {
    #[reactor(
        window! < readings: "changed.longer" by id >,
        tumbling = 30s, grace = 2s, idle = never, name = "changed", to = "changed.longer.to",
    )]
    fn before(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.longer" by id >,
        tumbling = 30s, grace = 1h, idle = never, late = "changed.longer.late", name = "changed", to = "changed.longer.to",
    )]
    fn after(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["changed.longer"], "changed.longer.to").await;
    let (before, after) = (
        |story: &Story| story.app().reactors(reactors![before]),
        |story: &Story| story.app().reactors(reactors![after]),
    );
    stays_closed(story, before, after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_copartitioned_windows_it_stays_closed_too() {
    #[reactor(
        window! < readings: "changed.beside" by id >,
        tumbling = 30s, grace = 2s, idle = never, copartitioned, name = "changed", to = "changed.beside.to",
    )]
    fn before(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "changed.beside" by id >,
        tumbling = 30s, grace = 1h, idle = never, copartitioned, late = "changed.beside.late", name = "changed",
        to = "changed.beside.to",
    )]
    fn after(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let story = Story::begin(&["changed.beside"], "changed.beside.to").await;
    let (before, after) = (
        |story: &Story| story.app().reactors(reactors![before]),
        |story: &Story| story.app().reactors(reactors![after]),
    );
    stays_closed(story, before, after).await;
}

#[reactor(
    window! < readings: "changed.way" by id >,
    tumbling = 30s, grace = 10s, idle = never, name = "changed", to = "changed.way.to",
)]
fn rekeyed(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

#[reactor(
    window! < readings: "changed.way" by id >,
    tumbling = 30s, grace = 10s, idle = never, copartitioned, name = "changed", to = "changed.way.to",
)]
fn copartitioned(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
    seen(id, readings, window)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rekeyed_does_not_become_copartitioned_while_windows_are_open_nor_the_other_way() {
    let story = Story::begin(&["changed.way"], "changed.way.to").await;
    let reason = until_it_is_drained(
        story,
        |story| story.app().reactors(reactors![rekeyed]),
        |story| story.app().reactors(reactors![copartitioned]),
    );
    let reason = reason.await;
    assert!(
        reason.contains("as `tumbling = 30s, grace = 10s`, and are now declared as `tumbling = 30s, grace = 10s, copartitioned`"),
        "{reason}"
    );

    let story = Story::begin(&["changed.way"], "changed.way.to").await;
    let reason = until_it_is_drained(
        story,
        |story| story.app().reactors(reactors![copartitioned]),
        |story| story.app().reactors(reactors![rekeyed]),
    );
    let reason = reason.await;
    assert!(
        reason.contains(
            "as `tumbling = 30s, grace = 10s, copartitioned`, and are now declared as `tumbling = 30s, grace = 10s`"
        ),
        "{reason}"
    );
}
