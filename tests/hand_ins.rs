//! Parameters that do not come from the payload, and what else a handler may take.

mod common;

use std::{
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::{Duration, UNIX_EPOCH},
};

use common::{Raw, Record, SOON, Tail, cluster, create, start, unique};
use fusion::{Code, Contract, Failure, HandIn, Run, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The tenant, from a header of ours.
struct Tenant(String);

impl HandIn for Tenant {
    fn hand_in(run: &Run<'_>) -> Result<Self, Failure> {
        let headers = run.record().headers.to_owned();
        let tenant = headers.get_str("tenant").map(str::to_owned);
        tenant.map(Tenant).ok_or_else(|| Failure::new("no_tenant", "who is it").not_retryable())
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Seen {
    state: (u64, String),
    place: (String, String, i32, i64),
    time: u64,
    runs: (u32, u32),
    left: bool,
    key: String,
    tenant: String,
    names: Vec<String>,
    payload: (String, i64),
}

#[reactor(topic = "hand.all", name = "the_name", within = 5s)]
#[allow(clippy::too_many_arguments)]
async fn all(
    counter: State<AtomicU64>,
    text: String,
    cx: Context,
    key: Key<String>,
    number: i64,
    headers: Headers,
    #[hand_in] tenant: Tenant,
    name: State<String>,
) -> Seen {
    let time = cx.timestamp().unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    Seen {
        state: (counter.fetch_add(1, SeqCst), name.to_string()),
        place: (cx.reactor().to_owned(), cx.topic().to_owned(), cx.partition(), cx.offset()),
        time,
        runs: (cx.attempt(), cx.hops()),
        left: cx.remaining() > Duration::from_secs(2) && cx.remaining() <= Duration::from_secs(5),
        key: key.0,
        tenant: tenant.0,
        names: headers.iter().map(|(name, _)| name.to_owned()).collect(),
        payload: (text, number),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_handed_in() {
    let config = cluster();
    create(&config, &[all::TOPIC], 3).await;
    let (raw, inbox) = (Raw::new(&config), unique("hand.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = App::new("hand.all", config).state(AtomicU64::new(7)).state("a name".to_owned());
    let app = start(app.reactors(reactors![all])).await;
    let request = Record::to(all::TOPIC).header("kafka_replyTopic", &*inbox).value("[\"text\", -3]");
    let whole = request.clone().key("ключ").partition(2).timestamp(1_700_000_000_123).header("tenant", "red");
    let (_, offset) = raw.send(whole.clone().header("fusion-hops", "3")).await;
    let seen = replies.one().await;
    let expected = Seen {
        state: (7, "a name".into()),
        place: ("the_name".into(), "hand.all".into(), 2, offset),
        time: 1_700_000_000_123,
        runs: (1, 3),
        left: true,
        key: "ключ".into(),
        tenant: "red".into(),
        names: vec!["kafka_replyTopic".into(), "tenant".into(), "fusion-hops".into()],
        payload: ("text".into(), -3),
    };
    assert_eq!(serde_json::from_value::<Seen>(seen.json()).unwrap(), expected);
    raw.send(whole).await;
    let seen: Seen = serde_json::from_value(replies.one().await.json()).unwrap();
    assert_eq!((seen.state.0, seen.runs), (8, (1, 0)), "the same state, and no hops");

    // A hand-in that fails fails the run, by its own rules.
    raw.send(request.clone().key("k")).await;
    assert_eq!(replies.one().await.text("fusion-error"), "no_tenant");
    raw.send(request.clone().header("tenant", "red")).await;
    assert_eq!(replies.one().await.text("fusion-error"), "decode", "no key");
    raw.send(request.key([0xff]).header("tenant", "red")).await;
    assert_eq!(replies.one().await.text("fusion-error"), "decode", "a key that is no text");
    assert_eq!(app.metrics().get(fusion::Count::Retries), 0);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_what_their_types_say() {
    #[reactor(topic = "hand.key.text")]
    fn text(key: Key<Option<String>>) -> Option<String> {
        key.0
    }
    #[reactor(topic = "hand.key.number")]
    fn number(key: Key<i64>) -> i64 {
        key.0
    }
    #[reactor(topic = "hand.key.bytes")]
    fn bytes(key: Key<Vec<u8>>) -> Vec<u8> {
        key.0
    }
    #[reactor(topic = "hand.key.uuid")]
    fn id(key: Key<uuid::Uuid>) -> uuid::Uuid {
        key.0
    }
    let config = cluster();
    let (raw, inbox) = (Raw::new(&config), unique("hand.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = App::new("hand.keys", config.clone()).reactors(reactors![text, number, bytes, id]);
    let app = start(app).await;
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    #[allow(clippy::type_complexity)]
    let keys: [(&str, Option<&[u8]>, Option<Value>); 9] = [
        ("text", Some(b"k"), Some(json!("k"))),
        ("text", Some(b""), Some(json!(""))),
        ("text", None, Some(json!(null))),
        ("number", Some(b"-12"), Some(json!(-12))),
        ("number", Some(b"12.0"), None),
        ("number", None, None),
        ("bytes", Some(&[0, 255]), Some(json!([0, 255]))),
        ("uuid", Some(uuid.as_bytes()), Some(json!(uuid))),
        ("uuid", Some(b"67e55044"), None),
    ];
    for (topic, key, expected) in keys {
        let record = Record::to(format!("hand.key.{topic}")).header("kafka_replyTopic", &*inbox);
        raw.send(Record { key: key.map(<[u8]>::to_vec), ..record }).await;
        let reply = replies.one().await;
        match expected {
            Some(value) => assert_eq!(reply.json(), value, "{topic} {key:?}"),
            None => assert_eq!(reply.text("fusion-error"), "decode", "{topic} {key:?}"),
        }
    }
    // The same on the way out.
    let pipeline = Pipeline::connect("keys", config).await.unwrap();
    assert_eq!(pipeline.ask::<number>(()).key(-7).await.unwrap(), -7);
    assert_eq!(pipeline.ask::<bytes>(()).key(&[9_u8, 0][..]).await.unwrap(), [9, 0]);
    let uuid = uuid::Uuid::parse_str(uuid).unwrap();
    assert_eq!(pipeline.ask::<id>(()).key(uuid).await.unwrap(), uuid);
    assert_eq!(pipeline.ask::<text>(()).await.unwrap(), None);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

/// A handler that takes no payload does not look at the value, and `#[payload]` overrules what a type is called.
#[tokio::test(flavor = "multi_thread")]
async fn payload_is_what_is_left() {
    mod mine {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct Context(pub String);
    }
    #[reactor(topic = "hand.payload.none")]
    fn none(cx: Context) -> u32 {
        cx.attempt()
    }
    #[reactor(topic = "hand.payload.mine")]
    fn mine_own(#[payload] context: mine::Context, mut number: i64) -> String {
        number += 1;
        format!("{} {number}", context.0)
    }
    #[reactor(topic = "hand.payload.pattern")]
    fn pattern((a, b): (i64, i64), [c, d]: [i64; 2]) -> i64 {
        a * b + c * d
    }
    let config = cluster();
    let app = App::new("hand.payload", config.clone()).reactors(reactors![none, mine_own, pattern]);
    let app = start(app).await;
    let (raw, inbox) = (Raw::new(&config), unique("hand.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    for value in [&b""[..], b"{", b"\xff", b"null"] {
        raw.send(Record::to(none::TOPIC).value(value).header("kafka_replyTopic", &*inbox)).await;
        assert_eq!(replies.one().await.json(), json!(1));
    }
    let pipeline = Pipeline::connect("payload", config).await.unwrap();
    assert_eq!(pipeline.ask_value(mine_own::TOPIC, json!(["c", 1])).await.unwrap(), "c 2");
    assert_eq!(pipeline.ask::<pattern>(((2, 3), [4, 5])).await.unwrap(), 26);
    let error = pipeline.ask_value(pattern::TOPIC, json!([[2, 3], [4]])).await.unwrap_err();
    assert_eq!(error.code(), &Code::Decode);
    pipeline.close().await.unwrap();
    common::eventually(SOON, || app.metrics().get(fusion::Count::DeadLetters) == 1).await;
    app.shutdown().await.unwrap();
}
