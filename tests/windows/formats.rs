//! In which forms records are read and results are written.

use fusion::{Window, prelude::*};
use serde_json::json;

use crate::{
    common::{Record, SOON, Tail, eventually},
    story::{LATER, Reading, Seen, Story, fired, seen},
};

#[contract(topic = "formats.envelope", envelope = json)]
fn enveloped(reading: Reading);

#[contract(topic = "formats.pairs")]
fn pairs(id: String, value: u32, more: Option<u32>);

#[tokio::test(flavor = "multi_thread")]
async fn contracts_say_what_a_record_is() {
    #[reactor(
        window! < readings: enveloped | "formats.plain" by id; pairs: pairs by |(id, ..)| id.clone() >,
        tumbling = 10s, grace = 0s, complete = all, idle = never, to = "formats.results",
    )]
    fn gather(
        id: Key<String>,
        readings: Vec<Reading>,
        pairs: Vec<(String, u32, Option<u32>)>,
        window: Window,
    ) -> Seen {
        let mut seen = seen(id, readings, window);
        seen.values.extend(pairs.into_iter().flat_map(|(_, value, more)| [Some(value), more]).flatten());
        seen
    }
    let mut story =
        Story::begin(&["formats.envelope", "formats.plain", "formats.pairs"], "formats.results").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let send = async |topic: &str, value: serde_json::Value| {
        let record = Record::to(topic).partition(0).value(value.to_string()).timestamp(story.base);
        story.raw.send(record).await;
    };
    send("formats.envelope", json!({"data": {"id": "a", "value": 1}})).await;
    // Not what their contracts say.
    send("formats.envelope", json!({"id": "a", "value": 2})).await;
    send("formats.plain", json!({"data": {"id": "a", "value": 3}})).await;
    send("formats.pairs", json!({"id": "a", "value": 4})).await;
    send("formats.plain", json!({"id": "a", "value": 5})).await;
    // The last one may be missing.
    send("formats.pairs", json!(["a", 6])).await;
    let mut result = story.result().await;
    assert_eq!(result.count, 3);
    result.values.sort_unstable();
    assert_eq!(result.values, [1, 5, 6]);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_type_that_nobody_knows_is_undecodable() {
    #[reactor(
        window! < readings: "formats.typed" by id >,
        tumbling = 10s, grace = 0s, idle = never, to = "formats.typed.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Seen {
        seen(id, readings, window)
    }
    let mut story = Story::begin(&["formats.typed"], "formats.typed.results").await;
    story.config = story.config.clone().keep_skipped(true);
    let mut letters = Tail::at_end(&story.config, "formats.typed.dlq").await;
    let app = story.start(story.app().reactors(reactors![gather])).await;
    let typed = |value, content_type: &str| {
        story.reading("formats.typed", "a", value, 0).header("content-type", content_type)
    };
    for record in
        [typed(1, "application/json"), typed(2, "application/x-unknown"), typed(3, "application/json; a=b")]
    {
        story.raw.send(record).await;
    }
    let letter = letters.one().await;
    assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "undecodable");
    assert!(letter.text("kafka_dlt-exception-message").contains("application/x-unknown"));
    assert_eq!(story.finish(LATER).await, [fired("a", &[1, 3], 0..10_000, "closed")]);
    let look = story.look();
    eventually(SOON, || look.is_done("formats.typed")).await;
    app.shutdown().await.unwrap();
}

#[cfg(feature = "msgpack")]
#[tokio::test(flavor = "multi_thread")]
async fn message_pack_is_read_beside_json_and_written_if_the_app_does() {
    #[reactor(
        window! < readings: "formats.packed" by id >,
        tumbling = 10s, grace = 0s, idle = never, late = "formats.packed.late", to = "formats.packed.results",
    )]
    fn gather(id: Key<String>, readings: Vec<Reading>, window: Window) -> Option<u64> {
        (id.as_str() == "a" && readings.iter().map(|reading| reading.value).eq([1, 2]))
            .then(|| window.count())
    }
    let mut story = Story::begin(&["formats.packed"], "formats.packed.results").await;
    let mut late = Tail::at_end(&story.config, "formats.packed.late").await;
    let app = story.app().format(fusion::Format::MessagePack).reactors(reactors![gather]);
    let app = story.start(app).await;
    // {"id": "a", "value": 1}
    let bytes = b"\x82\xa2id\xa1a\xa5value\x01".to_vec();
    let base = story.base;
    let packed = |time| {
        let record = Record::to("formats.packed").partition(0).timestamp(base + time);
        record.value(bytes.clone()).header("content-type", "application/msgpack")
    };
    story.raw.send(packed(0)).await;
    story.send("formats.packed", "a", 2, 1).await;
    story.pass(LATER).await;
    let result = story.record().await;
    assert_eq!(
        (result.text("content-type"), result.value.as_deref()),
        ("application/msgpack", Some(&[2][..]))
    );
    story.raw.send(packed(2)).await;
    let late = late.one().await;
    assert_eq!((late.value.as_deref(), late.text("content-type")), (Some(&*bytes), "application/msgpack"));
    app.shutdown().await.unwrap();
    assert_eq!(story.results.rest().len(), 0, "nothing of what is `None`, in this format either");
}
