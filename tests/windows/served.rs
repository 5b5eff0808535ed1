//! A topic that is gathered by windows and served by a reactor, in one app.

use std::sync::{Arc, Mutex};

use fusion::{Contract, Pipeline, Window, prelude::*};
use tokio::sync::Semaphore;

use crate::{
    common::{Record, SOON, Tail, eventually},
    story::{LATER, Reading, Seen, Story, fired, seen},
};

/// What a reactor has begun and ended, by value, and what the slow ones among them wait for.
struct Runs {
    begun: Mutex<Vec<u32>>,
    ended: Mutex<Vec<u32>>,
    slow: Semaphore,
}

impl Runs {
    fn new(slow: usize) -> Arc<Runs> {
        Arc::new(Runs { begun: Mutex::default(), ended: Mutex::default(), slow: Semaphore::new(slow) })
    }

    /// Handles a reading. The clock of a story is of no interest.
    async fn run(&self, reading: &Reading) -> u32 {
        if reading.value > 0 {
            self.begun.lock().unwrap().push(reading.value);
        }
        if reading.id.as_deref() == Some("slow") {
            self.slow.acquire().await.unwrap().forget();
        }
        if reading.value > 0 {
            self.ended.lock().unwrap().push(reading.value);
        }
        reading.value
    }

    fn begun(&self) -> Vec<u32> {
        sorted(self.begun.lock().unwrap().clone())
    }

    fn ended(&self) -> Vec<u32> {
        sorted(self.ended.lock().unwrap().clone())
    }
}

fn sorted(mut values: Vec<u32>) -> Vec<u32> {
    values.sort_unstable();
    values
}

fn by_id(mut results: Vec<Seen>) -> Vec<Seen> {
    results.sort();
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_repeats_neither_what_was_handled_nor_what_was_gathered() {
    #[reactor(topic = "served.brake", to = "served.answers", within = 60s)]
    async fn serve(reading: Reading, runs: State<Arc<Runs>>) -> u32 {
        runs.run(&reading).await
    }
    #[reactor(
        window! < readings: "served.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "served.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    #[reactor(
        window! < readings: "served.brake" by id >,
        tumbling = 5s, grace = 0s, idle = never, to = "served.shorter",
    )]
    fn shorter(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["served.brake"], "served.results").await;
    story.config = story.config.clone().stop_limit(std::time::Duration::from_secs(2));
    let mut answers = Tail::at_end(&story.config, "served.answers").await;
    let mut others = Tail::at_end(&story.config, "served.shorter").await;
    let app = |runs: &Arc<Runs>| story.app().state(runs.clone()).reactors(reactors![serve, gather, shorter]);
    let look = story.look();

    let runs = Runs::new(0);
    let running = story.start(app(&runs)).await;
    let (_, slow) = story.send("served.brake", "slow", 1, 0).await;
    for (id, value) in [("a", 2), ("b", 3), ("a", 4)] {
        story.send("served.brake", id, value, 1).await;
    }
    eventually(SOON, || runs.ended() == [2, 3, 4]).await;
    running.shutdown().await.unwrap();
    assert_eq!(runs.begun(), [1, 2, 3, 4]);
    assert_eq!(look.committed("served.brake"), [Some(slow)], "it is to be handled again");

    // It is slow again, and others go on meanwhile.
    let again = Runs::new(0);
    let running = story.start(app(&again)).await;
    story.send("served.brake", "a", 5, 2).await;
    eventually(SOON, || again.ended() == [5]).await;
    running.shutdown().await.unwrap();
    assert_eq!(again.begun(), [1, 5], "what was finished is not begun again");
    assert_eq!(look.committed("served.brake"), [Some(slow)]);

    let last = Runs::new(1);
    let running = story.start(app(&last)).await;
    story.send("served.brake", "b", 6, 3).await;
    eventually(SOON, || last.ended() == [1, 6]).await;
    let results = story.finish(LATER).await;
    let expected = |size| {
        [("a", &[2, 4, 5][..]), ("b", &[3, 6]), ("slow", &[1])]
            .map(|(id, values)| fired(id, values, 0..size, "closed"))
    };
    assert_eq!(by_id(results), expected(10_000));
    eventually(SOON, || look.is_done("served.brake")).await;
    running.shutdown().await.unwrap();
    assert_eq!(last.begun(), [1, 6]);
    let mut found = Vec::new();
    while found.len() < 3 {
        found.push(story.read(&others.one().await));
    }
    assert_eq!(by_id(found), expected(5_000));
    let answered = answers.rest().into_iter().map(|answer| answer.json().as_u64().unwrap() as u32);
    let answered: Vec<u32> = answered.filter(|value| *value > 0).collect();
    assert_eq!(sorted(answered), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_answered_by_a_topic_that_a_window_gathers() {
    #[reactor(topic = "served.asked")]
    fn double(reading: Reading) -> u32 {
        2 * reading.value
    }
    #[reactor(
        window! < readings: double by id at time >,
        tumbling = 1m, grace = 0s, idle = never, to = "served.asked.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::over(&["served.asked"], 3, "served.asked.results").await;
    let running = story.start(story.app().reactors(reactors![double, gather])).await;
    let pipeline = Pipeline::connect("asking", story.config.clone()).await.unwrap();
    let reading = |value: u32| Reading { id: Some("a".into()), value, time: Some(story.base + 1) };
    for value in 1..=20 {
        assert_eq!(pipeline.ask::<double>((reading(value),)).await.unwrap(), 2 * value);
    }
    let results = story.finish(LATER).await;
    assert_eq!(results.len(), 1, "{results:?}");
    assert_eq!(sorted(results[0].values.clone()), (1..=20).collect::<Vec<_>>());
    let look = story.look();
    eventually(SOON, || look.is_done(double::TOPIC)).await;
    pipeline.close().await.unwrap();
    running.shutdown().await.unwrap();
}

/// More is finished out of order than can be said beside an offset: what is read waits until there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn what_hardly_fits_beside_an_offset_is_not_added_to() {
    #[reactor(topic = "served.many", within = 60s)]
    async fn serve(reading: Reading, runs: State<Arc<Runs>>) {
        runs.run(&reading).await;
    }
    #[reactor(
        window! < readings: "served.many" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "served.many.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    const COUNT: u32 = 60_000;
    const OTHERS: u32 = 20_000;
    let mut story = Story::over(&["served.many"], 2, "served.many.results").await;
    // Nothing else is to hold it back.
    story.config = story.config.clone().in_flight(500_000);
    let runs = Runs::new(0);
    let running = story.start(story.app().state(runs.clone()).reactors(reactors![serve, gather])).await;
    let raw = story.raw.clone();
    let send = async |records: Vec<Record>| {
        let reports: Vec<_> = records.iter().map(|record| raw.queue(record)).collect();
        for report in reports {
            report.await.unwrap().unwrap();
        }
    };
    let id = |value: u32| if value % 2 == 1 { "slow" } else { "fast" };
    send((1..=COUNT).map(|value| story.reading("served.many", id(value), value, 0)).collect()).await;
    let look = story.look();
    eventually(SOON, || look.beside("served.many")[0].len() > 2_250).await;
    // The other partition goes on, for longer than the rest of this one would take.
    let other = |value| story.reading("served.many", "other", value, 0).partition(1);
    send((COUNT + 1..=COUNT + OTHERS).map(other).collect()).await;
    eventually(SOON, || look.committed("served.many")[1] == Some(look.ends("served.many")[1])).await;
    let ended = runs.ended();
    let fast = ended.iter().filter(|value| **value <= COUNT).count() as u32;
    assert_eq!(ended.len() as u32 - fast, OTHERS);
    // A bit for each offset, in 3,050 letters of six bits.
    assert!(fast < 3_050 * 6 / 2, "{fast}");
    assert!(look.beside("served.many")[0].len() <= 3_050);
    runs.slow.add_permits(COUNT as usize);
    eventually(SOON, || runs.ended.lock().unwrap().len() as u32 == COUNT + OTHERS).await;
    let results = by_id(story.finish(LATER).await);
    let values = |odd: u32| (1..=COUNT).filter(|value| value % 2 == odd).collect::<Vec<_>>();
    let others = (COUNT + 1..=COUNT + OTHERS).collect();
    let expected = [("fast", values(0)), ("other", others), ("slow", values(1))]
        .map(|(id, values)| fired(id, &values, 0..10_000, "closed"));
    assert!(results == expected, "not all, or not once");
    eventually(SOON, || look.is_done("served.many")).await;
    running.shutdown().await.unwrap();
    assert_eq!(runs.begun(), (1..=COUNT + OTHERS).collect::<Vec<_>>());
}
