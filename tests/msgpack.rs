//! MessagePack beside JSON: who asks in it is answered in it.
#![cfg(feature = "msgpack")]

mod common;

use common::{Raw, Record, SOON, Tail, cluster, eventually, start, unique, within};
use fusion::{Contract, Count, Format, Replies, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    note: Option<String>,
}

#[reactor(topic = "msgpack.order", to = "msgpack.orders")]
async fn order(order: Order, times: u8) -> Vec<Order> {
    vec![order; times.into()]
}

#[reactor(topic = "msgpack.graph", deps! < all: "msgpack.order"(Order { id, note: None }, 2); more: "msgpack.sum"(1, id) >)]
async fn graph(id: u64, all: Vec<Order>, more: u64) -> u64 {
    all.iter().map(|order| order.id).sum::<u64>() + more
}

#[reactor(topic = "msgpack.sum")]
fn sum(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_chooses_the_format() {
    let config = cluster();
    let mut asked = Tail::at_end(&config, order::TOPIC).await;
    let mut sent = Tail::at_end(&config, "msgpack.orders").await;
    let app = App::new("msgpack", config.clone()).format(Format::MessagePack);
    let app = start(app.reactors(reactors![order, graph, sum])).await;
    let packed = Pipeline::connect_with("packed", config.clone(), Replies::Inbox, Format::MessagePack);
    let packed = packed.await.unwrap();
    let plain = Pipeline::connect("plain", config.clone()).await.unwrap();
    let one = Order { id: 1, note: Some("ä".into()) };

    assert_eq!(packed.ask::<order>((&one, 2)).await.unwrap(), [one.clone(), one.clone()]);
    let request = asked.one().await;
    assert_eq!(request.text("content-type"), "application/msgpack");
    assert_eq!(request.value.as_deref().unwrap()[0], 0x92, "an array of two");
    assert_eq!(sent.one().await.text("content-type"), "application/msgpack");

    // No content type means JSON, whatever the app writes by itself: that is in what nobody asked for.
    assert_eq!(plain.ask::<order>((&one, 1)).await.unwrap(), std::slice::from_ref(&one));
    assert!(!asked.one().await.has("content-type"));
    assert!(!sent.one().await.has("content-type"), "the same bytes as the answer");
    let mut results = app.results::<order>();
    plain.send::<order>((&one, 1)).await.unwrap();
    assert_eq!(sent.one().await.text("content-type"), "application/msgpack");
    assert_eq!(within(SOON, results.next()).await.unwrap().unwrap().value, std::slice::from_ref(&one));
    let (raw, inbox) = (Raw::new(&config), unique("msgpack.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let request = Record::to(order::TOPIC).header("kafka_replyTopic", &*inbox).value(r#"[{"id":1},1]"#);
    raw.send(request.header("content-type", "application/json")).await;
    let reply = replies.one().await;
    assert_eq!(
        (reply.has("content-type"), reply.json()),
        (false, serde_json::json!([{"id": 1, "note": null}]))
    );
    assert_eq!(packed.ask::<graph>((5,)).await.unwrap(), 5 + 5 + 6);
    assert_eq!(plain.metrics().get(Count::UnreadableReplies), 0);

    // What is no MessagePack is a dead letter, and the error can be read by all.
    raw.send(
        Record::to(order::TOPIC)
            .header("kafka_replyTopic", &*inbox)
            .header("content-type", "application/msgpack")
            .value([0xc1]),
    )
    .await;
    let reply = within(SOON, replies.next(SOON)).await.unwrap();
    assert_eq!((reply.text("fusion-error"), reply.json()["code"].as_str()), ("decode", Some("decode")));
    eventually(SOON, || app.metrics().get(Count::DeadLetters) == 1).await;
    plain.close().await.unwrap();
    packed.close().await.unwrap();
    app.shutdown().await.unwrap();
}
