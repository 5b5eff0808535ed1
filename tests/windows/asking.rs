//! Windows whose results ask other services before they are sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use fusion::{Backoff, Window, prelude::*};
use tokio::sync::watch;

use crate::{
    common::{SOON, Tail, eventually, start, unique, within},
    story::{LATER, Reading, Seen, Story, fired, seen},
};

#[derive(Clone, Default)]
struct Asked(Arc<AtomicU32>);

#[reactor(topic = "asking.price", retry = 0)]
async fn price(id: String, values: Vec<u32>, asked: State<Asked>) -> Result<u32, Failure> {
    let times = asked.0.fetch_add(1, SeqCst);
    match &*id {
        "broken" => Err(Failure::new("sold_out", "there is none").not_retryable()),
        "flaky" if times == 0 => Err(Failure::new("busy", "ask again")),
        _ => Ok(values.into_iter().sum::<u32>() * 100),
    }
}

#[reactor(
    window! < readings: "asking.brake" by id >,
    deps! < price: price(id.0.clone(), readings.iter().map(|reading| reading.value).collect::<Vec<_>>())
            if *id != "clock" && !id.starts_with("end ") >,
    tumbling = 10s, grace = 0s, idle = never, retry = 2, to = "asking.results",
)]
async fn quote(id: Key<String>, readings: Vec<Reading>, window: Window, price: Option<u32>) -> Seen {
    let mut seen = seen(id, readings, window);
    seen.values.extend(price);
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_asks_another_service_before_its_result() {
    let mut story = Story::begin(&["asking.brake"], "asking.results").await;
    let quick = Backoff { first: Duration::from_millis(5), ..Backoff::default() };
    story.config = story.config.clone().backoff(quick);
    let mut letters = Tail::at_start(&story.config, &format!("{}.quote.dlq", story.group)).await;
    let asked = Asked::default();
    let service = App::new(unique("prices"), story.config.clone()).state(asked.clone());
    let service = start(service.reactors(reactors![price])).await;
    let app = story.start(story.app().reactors(reactors![quote])).await;
    // The first to be asked is the one that fails at first.
    story.send("asking.brake", "flaky", 1, 0).await;
    story.send("asking.brake", "flaky", 2, 0).await;
    story.pass(10_000).await;
    let mut expected = fired("flaky", &[1, 2, 300], 0..10_000, "closed");
    expected.count = 2;
    assert_eq!(story.result().await, expected);
    story.send("asking.brake", "broken", 3, 20_000).await;
    let (partition, offset) = story.send("asking.brake", "broken", 4, 20_001).await;
    story.send("asking.brake", "a", 5, 20_000).await;
    let mut expected = fired("a", &[5, 500], 20_000..30_000, "closed");
    expected.count = 1;
    assert_eq!(story.finish(LATER).await, [expected]);
    let letter = letters.one().await;
    assert_eq!(letter.key.as_deref(), Some(&b"broken"[..]));
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "dependency");
    let why = letter.text("kafka_dlt-exception-message");
    assert!(why.contains("there is none") && why.contains("price"), "{why}");
    let told = letter.json();
    assert_eq!((&told["window"], &told["key"]), (&"quote".into(), &"broken".into()));
    assert_eq!(told["start"], story.base + 20_000);
    assert_eq!(told["records"].as_array().unwrap().len(), 2);
    assert_eq!(told["records"][1], serde_json::json!(["asking.brake", partition, offset]));
    assert_eq!(asked.0.load(SeqCst), 4, "flaky twice, the others once");
    app.shutdown().await.unwrap();
    service.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_may_be_slower_than_the_windows() {
    #[reactor(topic = "asking.slow", concurrency = 64)]
    async fn slow(number: u32, asked: State<Asked>, open: State<watch::Receiver<u32>>) -> u32 {
        asked.0.fetch_add(1, SeqCst);
        watch::Receiver::clone(&open).wait_for(|open| number < *open).await.unwrap();
        number
    }
    #[reactor(
        window! < readings: "asking.lidar" by id >,
        deps! < answer: slow(readings[0].value) if *id != "clock" && !id.starts_with("end ") >,
        tumbling = 10s, grace = 0s, idle = never, to = "asking.answers",
    )]
    async fn wait(id: Key<String>, readings: Vec<Reading>, window: Window, answer: Option<u32>) -> Seen {
        assert!(answer.is_none_or(|answer| answer == readings[0].value));
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["asking.lidar"], "asking.answers").await;
    let (gate, open) = watch::channel(0);
    let asked = Asked::default();
    let service = App::new(unique("slow"), story.config.clone()).state(asked.clone()).state(open);
    let service = start(service.reactors(reactors![slow])).await;
    let app = story.start(story.app().reactors(reactors![wait])).await;
    for number in 0..40 {
        story.send("asking.lidar", "a", number, i64::from(number) * 10_000).await;
    }
    // Later ones are asked while the first ones wait.
    eventually(SOON, || asked.0.load(SeqCst) > 10).await;
    gate.send_replace(10);
    // What runs is seen through, what is only read is read again.
    let stopping = tokio::spawn(app.shutdown());
    gate.send_replace(40);
    within(SOON, stopping).await.unwrap().unwrap();
    let app = story.start(story.app().reactors(reactors![wait])).await;
    let results = story.finish(LATER).await;
    let expected: Vec<Seen> = (0..40_u32)
        .map(|n| fired("a", &[n], i64::from(n) * 10_000..i64::from(n + 1) * 10_000, "closed"))
        .collect();
    assert_eq!(results, expected);
    app.shutdown().await.unwrap();
    service.shutdown().await.unwrap();
}
