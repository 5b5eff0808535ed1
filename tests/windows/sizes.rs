//! What is too large to be sent: it costs itself, and never the app.

use fusion::{Config, Count, Skipped, Window, prelude::*};

use crate::{
    common::{Record, Tail},
    story::{HOUR, LATER, Reading, Seen, Story, fired, seen},
};

/// What these apps may send.
const LARGEST: usize = 1_000;

fn small(config: &Config) -> Config {
    config.clone().largest_value(LARGEST)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_too_large_for_the_log_is_kept_aside() {
    #[reactor(
        window! < readings: "large.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "large.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["large.brake"], "large.results").await;
    story.config = small(&story.config);
    let mut letters = Tail::at_end(&story.config, "large.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("large.brake", "a", 1, 0).await;
    let long = "x".repeat(LARGEST);
    let padded = |id: &str| story.reading("large.brake", id, 2, HOUR).header("own", "1");
    let with_value = format!(r#"{{"id": "a", "value": 2, "more": "{long}"}}"#);
    let records = [
        padded("a").value(with_value),
        // Its own key goes along in a header; the window's is small.
        padded("a").key(vec![b'k'; 32 * 1024]),
        padded("a").header("much", vec![7; 32 * 1024]),
        padded(&long),
    ];
    let mut offsets = Vec::new();
    for record in records {
        offsets.push(story.raw.send(record).await.1);
    }
    // None of them moved time.
    story.send("large.brake", "a", 3, 1).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[1, 3], 0..10_000, "closed")]);
    let kept = letters.take(4).await;
    for letter in &kept {
        assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "too_large");
        let message = letter.text("kafka_dlt-exception-message");
        assert!(message.contains("raise `Config::largest_"), "{message}");
        assert_eq!(letter.text("kafka_dlt-original-topic"), "large.brake");
    }
    let of = |offset: i64| {
        let place = offset.to_be_bytes();
        kept.iter().find(|letter| letter.get("kafka_dlt-original-offset") == place).unwrap()
    };
    // Whatever fits goes along.
    let [value, key, headers, both] = offsets[..] else { panic!("{offsets:?}") };
    assert_eq!((of(value).key.as_deref(), of(value).value.as_deref()), (Some(&b"a"[..]), None));
    assert_eq!(of(value).text("own"), "1");
    assert_eq!((of(key).key.as_deref(), &of(key).json()["value"]), (None, &2.into()));
    assert_eq!((of(headers).key.as_deref(), &of(headers).json()["value"]), (Some(&b"a"[..]), &2.into()));
    assert!(!of(headers).has("much") && !of(headers).has("own"), "{:?}", of(headers).header_names());
    assert_eq!((of(both).key.as_deref(), of(both).value.as_deref()), (Some(long.as_bytes()), None));
    let skipped = &app.windows()[0].topics[0].skipped;
    assert_eq!((skipped[&Skipped::TooLarge], skipped.values().sum::<u64>()), (4, 4));
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_too_large_is_one_dead_letter() {
    #[reactor(
        window! < readings: "heavy.results.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "heavy.results.to",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        let large = id.0 == "large";
        let mut seen = seen(id, readings, window);
        if large {
            seen.reason = "x".repeat(LARGEST);
        }
        seen
    }
    let mut story = Story::begin(&["heavy.results.brake"], "heavy.results.to").await;
    story.config = small(&story.config);
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let (partition, offset) = story.send("heavy.results.brake", "large", 1, 0).await;
    story.send("heavy.results.brake", "a", 2, 0).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[2], 0..10_000, "closed")]);
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "too_large");
    let message = letter.text("kafka_dlt-exception-message");
    assert!(
        message.contains("`heavy.results.to`") && message.contains("`Config::largest_value`"),
        "{message}"
    );
    assert_eq!(letter.json()["records"], serde_json::json!([["heavy.results.brake", partition, offset]]));
    let metrics = app.metrics();
    assert_eq!((metrics.get(Count::Failed), metrics.get(Count::DeadLetters)), (1, 1));
    app.shutdown().await.unwrap();
    let app = story.start(story.app().reactors(reactors![gather])).await;
    assert_eq!(story.finish(2 * LATER).await, [], "it is over");
    assert_eq!(letters.rest(), []);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_names_as_many_records_as_fit_and_says_how_many_there_were() {
    #[reactor(
        window! < readings: "many.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "many.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Result<Seen, Failure> {
        if id.0.starts_with("many") {
            return Err(Failure::new("own", "y".repeat(10_000)).not_retryable());
        }
        Ok(seen(id, readings, window))
    }
    let mut story = Story::begin(&["many.brake"], "many.results").await;
    story.config = small(&story.config);
    let mut letters = Tail::at_start(&story.config, &format!("{}.gather.dlq", story.group)).await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let mut first = None;
    for value in 0..200 {
        first = first.or(Some(story.send("many.brake", "many", value, 0).await.1));
    }
    // A key that fits into the log, but not twice into a letter.
    let long = format!("many{}", "\u{1}".repeat(100));
    story.send("many.brake", &long, 1, 0).await;
    story.send("many.brake", "a", 2, 0).await;
    assert_eq!(story.finish(LATER).await, [fired("a", &[2], 0..10_000, "closed")]);
    let sent = letters.take(2).await;
    let of = |key: &[u8]| sent.iter().find(|letter| letter.key.as_deref() == Some(key)).unwrap();
    let many = of(b"many");
    assert!(many.value.as_ref().unwrap().len() <= LARGEST);
    let told = many.json();
    let records = told["records"].as_array().unwrap();
    assert_eq!((&told["count"], records[0][2].as_i64()), (&200.into(), first));
    assert!((20..200).contains(&records.len()), "{}", records.len());
    let told = of(long.as_bytes()).json();
    assert_eq!((&told["count"], told["records"].as_array().unwrap().len()), (&1.into(), 1));
    assert!(told["key"].as_str().unwrap().starts_with("many\u{1}"));
    assert_eq!(app.metrics().get(Count::DeadLetters), 2);
    app.shutdown().await.unwrap();
}

/// How many bytes of headers fit beside those that a re-keyed record has, but not beside those of a dead letter.
const ALMOST: usize = 32 * 1024 - 200;

#[tokio::test(flavor = "multi_thread")]
async fn an_original_whose_headers_do_not_fit_goes_without_them() {
    #[reactor(
        window! < readings: "full.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, late = "full.late", to = "full.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["full.brake"], "full.results").await;
    story.config = story.config.clone().keep_skipped(true);
    let mut late = Tail::at_end(&story.config, "full.late").await;
    let mut letters = Tail::at_end(&story.config, "full.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    story.send("full.brake", "a", 1, 0).await;
    story.send("full.brake", "b", 2, 11_000).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..10_000, "closed"));
    let full = |record: Record| record.header("own", vec![7; ALMOST]);
    let (_, offset) = story.raw.send(full(story.reading("full.brake", "a", 3, 1))).await;
    story.raw.send(full(story.reading("full.brake", "a", 4, 1)).value("{")).await;
    let sent = late.one().await;
    assert_eq!((sent.text("fusion-late-reason"), &sent.json()["value"]), ("closed", &3.into()));
    assert_eq!(sent.get("kafka_dlt-original-offset"), offset.to_be_bytes());
    assert!(!sent.has("own"));
    let letter = letters.one().await;
    assert_eq!(
        (letter.text("kafka_dlt-exception-fqcn"), letter.value.as_deref()),
        ("undecodable", Some(&b"{"[..]))
    );
    assert!(!letter.has("own"));
    assert_eq!(story.finish(LATER).await, [fired("b", &[2], 10_000..20_000, "closed")]);
    assert_eq!((late.rest(), letters.rest()), (vec![], vec![]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn copartitioned_sources_may_have_what_the_app_could_not_send() {
    #[reactor(
        window! < readings: "full.co.brake" by id >,
        tumbling = 10s, grace = 0s, idle = never, copartitioned, late = "full.co.late", to = "full.co.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["full.co.brake"], "full.co.results").await;
    story.config = small(&story.config).keep_skipped(true);
    let mut late = Tail::at_end(&story.config, "full.co.late").await;
    let mut letters = Tail::at_end(&story.config, "full.co.brake.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let long = "x".repeat(LARGEST + 1);
    let large = |value: u32, time: i64| {
        let text = format!(r#"{{"id": "a", "value": {value}, "more": "{long}"}}"#);
        story.reading("full.co.brake", "a", value, time).value(text).header("own", "1")
    };
    let (timely, too_late, noise) = (large(1, 0), large(3, 1), large(4, 1).value(long.clone()));
    story.raw.send(timely).await;
    story.send("full.co.brake", "b", 2, 11_000).await;
    assert_eq!(story.result().await, fired("a", &[1], 0..10_000, "closed"), "nothing is sent but results");
    story.raw.send(too_late).await;
    story.raw.send(noise).await;
    let sent = late.one().await;
    assert_eq!(
        (sent.text("fusion-late-reason"), sent.value.as_ref(), sent.text("own")),
        ("closed", None, "1")
    );
    let letter = letters.one().await;
    assert_eq!((letter.text("kafka_dlt-exception-fqcn"), letter.value.as_ref()), ("undecodable", None));
    assert_eq!(story.finish(LATER).await, [fired("b", &[2], 10_000..20_000, "closed")]);
    app.shutdown().await.unwrap();
}
