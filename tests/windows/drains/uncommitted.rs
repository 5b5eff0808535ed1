//! Drains that are in the log and not committed when the app stops.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use fusion::{Running, Window, prelude::*};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    common::{Record, SOON, Tail, eventually, within},
    story::{HOUR, Reading, SECOND, Seen, Story, fired, now, seen},
};

/// Where handlers of an app whose drain is not to be committed stay.
#[derive(Clone, Default)]
struct Gate {
    is_closed: bool,
    waiting: Arc<AtomicUsize>,
}

impl Gate {
    fn closed() -> Gate {
        Gate { is_closed: true, ..Gate::default() }
    }

    async fn pass(&self) {
        if self.is_closed {
            self.waiting.fetch_add(1, SeqCst);
            pending::<()>().await;
        }
    }
}

#[reactor(
    window! < readings: "drains.brake" by id at time >,
    tumbling = 10s, grace = 2s, idle = never, late = "drains.late", to = "drains.results",
)]
async fn tumbling(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
    gate.pass().await;
    seen(id, readings, window)
}

#[reactor(
    window! < readings: "drains.brake" by id at time >,
    hopping = 20s, advance = 10s, grace = 2s, idle = never, late = "drains.late", to = "drains.results",
)]
async fn hopping(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
    gate.pass().await;
    seen(id, readings, window)
}

#[reactor(
    window! < readings: "drains.brake" by id at time >,
    sliding = 15s, grace = 2s, idle = never, late = "drains.late", to = "drains.results",
)]
async fn sliding(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
    gate.pass().await;
    seen(id, readings, window)
}

#[reactor(
    window! < readings: "drains.brake" by id at time >,
    session = 5s, longest = 1h, grace = 2s, idle = never, late = "drains.late", to = "drains.results",
)]
async fn sessions(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
    gate.pass().await;
    seen(id, readings, window)
}

const WINDOWS: [&str; 4] = ["tumbling", "hopping", "sliding", "sessions"];

/// On a cluster, the stories have their topics in common.
static ONE_BY_ONE: Mutex<()> = Mutex::const_new(());

struct Drains {
    story: Story,
    late: Tail,
    logs: Vec<Tail>,
    _turn: MutexGuard<'static, ()>,
}

impl Drains {
    async fn begin() -> Drains {
        let turn = ONE_BY_ONE.lock().await;
        let mut story = Story::begin(&["drains.brake"], "drains.results").await;
        // Handlers that wait for ever are not waited for.
        story.config = story.config.clone().stop_limit(Duration::from_secs(1));
        let late = Tail::at_end(&story.config, "drains.late").await;
        Drains { story, late, logs: Vec::new(), _turn: turn }
    }

    async fn start(&mut self, gate: &Gate) -> Running {
        let reactors = reactors![tumbling, hopping, sliding, sessions];
        let app = self.story.start(self.story.app().state(gate.clone()).reactors(reactors)).await;
        if self.logs.is_empty() {
            for window in WINDOWS {
                self.logs.push(Tail::at_start(&self.story.config, &self.story.log(window)).await);
            }
        }
        app
    }

    /// Sends what all windows of that hour have open, and no other.
    async fn open(&self, app: &Running, hour: i64) {
        let begin = hour * HOUR;
        for (id, value, second) in [("a", 1, 1), ("b", 2, 2), ("a", 3, 3)] {
            self.send(id, value, begin + second * SECOND).await;
        }
        is_at(app, self.story.base + begin + 3 * SECOND, 2).await;
    }

    async fn send(&self, id: &str, value: u32, time: i64) {
        self.story.send("drains.brake", id, value, time).await;
    }

    /// The next control record of each log that has everything fire.
    async fn in_the_logs(&mut self) {
        for log in &mut self.logs {
            while !log.one().await.json()["drain"].as_bool().unwrap_or(false) {}
        }
    }

    async fn results(&mut self, count: usize) -> Vec<Seen> {
        let records = self.story.results.take(count).await;
        let mut results: Vec<Seen> = records.iter().map(|record| self.story.read(record)).collect();
        results.sort();
        results
    }

    /// Each window refused this one reading.
    async fn refused(&mut self, value: u32) {
        for record in self.late.take(WINDOWS.len()).await {
            assert_eq!(record.json()["value"], value);
        }
    }

    /// Drains, and has each window send what is expected and nothing else, and an app that comes later send nothing more.
    async fn end(mut self, app: Running, expected: &[Seen]) {
        within(SOON, app.drain()).await.unwrap();
        app.shutdown().await.unwrap();
        assert_eq!(self.results(expected.len()).await, expected);
        let last = self.start(&Gate::default()).await;
        self.open(&last, 10).await;
        within(SOON, last.drain()).await.unwrap();
        last.shutdown().await.unwrap();
        let expected = drained(10);
        assert_eq!(self.results(expected.len()).await, expected);
        assert_eq!((self.story.results.rest(), self.late.rest()), (vec![], vec![]));
    }
}

/// Waits until all windows have come to this time, with so many open or more.
async fn is_at(app: &Running, time: i64, open: usize) {
    let is_at = |window: fusion::WindowMetrics| {
        window.lag() == 0
            && window.partitions.first().is_some_and(|one| one.time == Some(time) && one.open >= open)
    };
    eventually(SOON, || app.windows().into_iter().all(is_at)).await;
}

/// What a drain fires of what [`Drains::open`] opens.
fn drained(hour: i64) -> Vec<Seen> {
    let one = |id: &str, values: &[u32], start: i64, end: i64| {
        fired(id, values, hour * HOUR + start..hour * HOUR + end, "drained")
    };
    let mut all = vec![
        one("a", &[1, 3], 0, 10_000),
        one("b", &[2], 0, 10_000),
        one("a", &[1, 3], 0, 20_000),
        one("a", &[1, 3], -10_000, 10_000),
        one("b", &[2], 0, 20_000),
        one("b", &[2], -10_000, 10_000),
        one("a", &[1], -14_000, 1_000),
        one("a", &[1, 3], -12_000, 3_000),
        one("a", &[3], 1_001, 16_001),
        one("b", &[2], -13_000, 2_000),
        one("a", &[1, 3], 1_000, 3_000),
        one("b", &[2], 2_000, 2_000),
    ];
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_was_not_committed_holds_after_a_restart() {
    let mut drains = Drains::begin().await;
    let gate = Gate::closed();
    let first = drains.start(&gate).await;
    drains.open(&first, 1).await;
    let expected = drained(1);
    tokio::select! {
        drained = first.drain() => panic!("nothing was committed, and yet it is over: {drained:?}"),
        () = eventually(SOON, || gate.waiting.load(SeqCst) == expected.len()) => {}
    }
    drains.in_the_logs().await;
    // What comes behind the drain is read before it is committed, too.
    drains.send("a", 4, HOUR + 2_500).await;
    drains.send("c", 5, 2 * HOUR).await;
    is_at(&first, drains.story.base + 2 * HOUR, 1).await;
    first.shutdown().await.unwrap();
    assert_eq!((drains.story.results.rest(), drains.late.rest()), (vec![], vec![]));

    let second = drains.start(&Gate::default()).await;
    assert_eq!(drains.results(expected.len()).await, expected, "each window once");
    drains.refused(4).await;
    is_at(&second, drains.story.base + 2 * HOUR, 1).await;
    drains.send("a", 6, HOUR + 2_500).await;
    drains.refused(6).await;
    let of_c = |start, end| fired("c", &[5], 2 * HOUR + start..2 * HOUR + end, "drained");
    let open = [of_c(-15_000, 0), of_c(-10_000, 10_000), of_c(0, 0), of_c(0, 10_000), of_c(0, 20_000)];
    drains.end(second, &open).await;
}

/// The app is gone when the record is there, and whoever comes next reads it first.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_nobody_read_holds_after_a_restart() {
    let mut drains = Drains::begin().await;
    let first = drains.start(&Gate::default()).await;
    drains.open(&first, 1).await;
    first.shutdown().await.unwrap();
    assert_eq!(drains.story.results.rest(), []);
    for (window, log) in WINDOWS.into_iter().zip(&mut drains.logs) {
        let mut control = loop {
            let record = log.one().await;
            if record.has("fusion-control") {
                break record.json();
            }
        };
        control["stamp"] = now().into();
        control["claims"] = serde_json::json!([]);
        control["drain"] = true.into();
        let record = Record::to(drains.story.log(window)).partition(0).header("fusion-control", "1");
        drains.story.raw.send(record.value(control.to_string())).await;
    }
    let second = drains.start(&Gate::default()).await;
    let expected = drained(1);
    assert_eq!(drains.results(expected.len()).await, expected, "each window once");
    drains.send("a", 4, HOUR + 2_500).await;
    drains.refused(4).await;
    drains.end(second, &[]).await;
}

/// There is no log of theirs that could say so: what was not committed has not been, and the windows are open.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_of_copartitioned_sources_that_was_not_committed_has_not_been() {
    #[reactor(
        window! < readings: "drains.co.brake" | "drains.co.lidar" by id at time >,
        tumbling = 10s, grace = 2s, idle = never, copartitioned, late = "drains.co.late", to = "drains.co.results",
    )]
    async fn together(id: Key<String>, readings: Vec<Reading>, window: Window, gate: State<Gate>) -> Seen {
        gate.pass().await;
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["drains.co.brake", "drains.co.lidar"], "drains.co.results").await;
    story.config = story.config.clone().stop_limit(Duration::from_secs(1));
    let mut late = Tail::at_end(&story.config, "drains.co.late").await;
    let app = |story: &Story, gate: &Gate| story.app().state(gate.clone()).reactors(reactors![together]);
    let gate = Gate::closed();
    let first = story.start(app(&story, &gate)).await;
    story.send("drains.co.brake", "a", 1, SECOND).await;
    story.send("drains.co.brake", "b", 2, 2 * SECOND).await;
    story.send("drains.co.lidar", "a", 3, 3 * SECOND).await;
    is_at(&first, story.base + 2 * SECOND, 2).await;
    tokio::select! {
        drained = first.drain() => panic!("nothing was committed, and yet it is over: {drained:?}"),
        () = eventually(SOON, || gate.waiting.load(SeqCst) == 2) => {}
    }
    // It is late here, and not for the next.
    story.send("drains.co.lidar", "a", 4, 2_500).await;
    eventually(SOON, || first.windows()[0].topics[1].late.values().sum::<u64>() == 1).await;
    first.shutdown().await.unwrap();
    assert_eq!((story.results.rest(), late.rest()), (vec![], vec![]));

    let second = story.start(app(&story, &Gate::default())).await;
    is_at(&second, story.base + 2 * SECOND, 2).await;
    within(SOON, second.drain()).await.unwrap();
    let mut results = [story.result().await, story.result().await];
    results.sort();
    assert_eq!(
        results,
        [fired("a", &[1, 4, 3], 0..10_000, "drained"), fired("b", &[2], 0..10_000, "drained")]
    );
    second.shutdown().await.unwrap();
    // Now it is committed.
    let third = story.start(app(&story, &Gate::default())).await;
    story.send("drains.co.brake", "a", 5, SECOND).await;
    assert_eq!(late.one().await.json()["value"], 5);
    within(SOON, third.drain()).await.unwrap();
    third.shutdown().await.unwrap();
    assert_eq!((story.results.rest(), late.rest()), (vec![], vec![]));
}
