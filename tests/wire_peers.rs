//! Requests and replies byte by byte, as Spring Kafka, NestJS and fusion-clj write them and read them.

mod common;

use common::{Raw, Record, SOON, Tail, cluster, create, eventually, start, unique, within};
use fusion::{Code, Contract, Count, prelude::*};
use serde_json::json;

/// Sixteen bytes that no text survives: zeros, hyphens, and what is not UTF-8.
const SPRING_ID: [u8; 16] =
    [0, 0xff, 0xfe, b'-', 0x80, 0, 0xc3, 0x28, b'"', b'{', 0, 10, 13, 0xed, 0xa0, 0x80];

fn headers(record: &Record) -> Vec<(&str, Option<&[u8]>)> {
    record.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn spring_asks() {
    #[reactor(topic = "peers.spring", retry = 0)]
    fn spring(from: i64, amount: i64) -> Result<i64, Failure> {
        let failure = || Failure::new("too_much", format!("{amount} from {from}")).not_retryable();
        from.checked_sub(amount).filter(|rest| *rest >= 0).ok_or_else(failure)
    }
    let config = cluster();
    let (raw, inbox) = (Raw::new(&config), unique("peers.spring"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = start(App::new("peers.spring", config).reactors(reactors![spring])).await;
    let request = |value: &str| {
        let request = Record::to(spring::TOPIC).key([0xfe, 0]).value(value).header("__TypeId__", "x");
        request.header("kafka_replyTopic", &*inbox).header("kafka_correlationId", SPRING_ID)
    };
    raw.send(request("[7,2]").header("kafka_replyPartition", [0, 0, 0, 2])).await;
    let reply = replies.one().await;
    assert_eq!((reply.partition, reply.value.as_deref()), (Some(2), Some(&b"5"[..])));
    assert_eq!(reply.key.as_deref(), Some(&[0xfe, 0][..]));
    let expected = [("kafka_correlationId", Some(&SPRING_ID[..])), ("kafka_nest-is-disposed", Some(&[0]))];
    assert_eq!(headers(&reply), expected);

    raw.send(request("[2,7]").header("kafka_replyPartition", [0, 0, 0, 3])).await;
    let reply = replies.one().await;
    let body = br#"{"code":"too_much","message":"7 from 2","topic":"peers.spring","retryable":false}"#;
    assert_eq!((reply.partition, reply.value.as_deref()), (Some(3), Some(&body[..])));
    let expected = [
        ("kafka_correlationId", Some(&SPRING_ID[..])),
        ("kafka_nest-is-disposed", Some(&[0])),
        ("fusion-error", Some(b"too_much")),
        ("kafka_nest-err", Some(body)),
    ];
    assert_eq!(headers(&reply), expected);

    // Of several the last one counts, and one without a value was not sent.
    let twice = request("[3,1]").header("kafka_correlationId", "second").null_header("kafka_correlationId");
    raw.send(twice).await;
    assert_eq!(replies.one().await.get("kafka_correlationId"), b"second");
    // Without a correlation there is none in the reply.
    raw.send(Record::to(spring::TOPIC).value("[3,1]").header("kafka_replyTopic", &*inbox)).await;
    assert_eq!(headers(&replies.one().await), [("kafka_nest-is-disposed", Some(&[0][..]))]);
    // A partition that the topic does not have: nobody can be told, and nothing stands still.
    raw.send(request("[3,1]").header("kafka_replyPartition", [0, 0, 0, 99])).await;
    eventually(SOON, || app.metrics().get(Count::RepliesLost) == 1).await;
    raw.send(request("[9,1]")).await;
    assert_eq!(replies.one().await.json(), json!(8));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nest_asks() {
    #[reactor(topic = "peers.nest", retry = 0)]
    async fn nest(name: String) -> Result<String, String> {
        if name.is_empty() { Err("no name".into()) } else { Ok(name) }
    }
    let config = cluster();
    let (raw, inbox) = (Raw::new(&config), unique("peers.nest.reply"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = start(App::new("peers.nest", config).reactors(reactors![nest])).await;
    for (partition, value) in [("0", "\"a\""), ("3", "\"b\""), ("1", "\"\"")] {
        let id = "a8098c1a-f86e-11da-bd1a-00112444be1e";
        let request = Record::to(nest::TOPIC).value(value).header("kafka_correlationId", id);
        raw.send(request.header("kafka_replyTopic", &*inbox).header("kafka_replyPartition", partition)).await;
        let reply = replies.one().await;
        assert_eq!(reply.partition, Some(partition.parse().unwrap()));
        assert_eq!(reply.text("kafka_correlationId"), id);
        assert_eq!(reply.get("kafka_nest-is-disposed"), [0]);
        assert_eq!(reply.has("kafka_nest-err"), value == "\"\"");
        if value == "\"\"" {
            let told: serde_json::Value = serde_json::from_slice(reply.get("kafka_nest-err")).unwrap();
            assert_eq!((&told["message"], &told["code"]), (&json!("no name"), &json!("handler")));
        } else {
            assert_eq!(reply.value.as_deref(), Some(value.as_bytes()));
        }
    }
    assert_eq!(app.metrics().get(Count::HeaderFaults), 0);
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_ask_is_golden() {
    #[contract(topic = "peers.golden")]
    fn golden(from: i64, amount: Option<i64>) -> i64;
    #[contract(topic = "peers.golden.event")]
    fn event(text: String);
    let config = cluster();
    let (mut asked, mut events) =
        (Tail::at_end(&config, golden::TOPIC).await, Tail::at_end(&config, event::TOPIC).await);
    let raw = Raw::new(&config);
    let pipeline = Pipeline::connect("golden", config).await.unwrap();
    let question = pipeline.ask::<golden>((6, None)).key(7_u64).header("tenant", "red").header("raw", [0xff]);
    let question = tokio::spawn(question.into_future());
    let request = asked.one().await;
    assert_eq!((request.key.as_deref(), request.value.as_deref()), (Some(&b"7"[..]), Some(&b"[6,null]"[..])));
    let names =
        ["tenant", "raw", "kafka_replyTopic", "kafka_correlationId", "fusion-deadline", "fusion-hops"];
    assert_eq!(request.header_names(), names);
    let inbox = request.text("kafka_replyTopic");
    let id = inbox.strip_prefix("fusion.inbox.golden.").expect("the inbox's name");
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().to_string(), id);
    let correlation = request.text("kafka_correlationId");
    assert_eq!(uuid::Uuid::parse_str(correlation).unwrap().to_string(), correlation);
    assert!(request.text("fusion-deadline").bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!((request.get("fusion-hops"), request.get("raw")), (&b"1"[..], &[0xff][..]));

    // As NestJS answers: an error first in its own header, of text or of an object.
    let reply = || Record::to(inbox).header("kafka_correlationId", correlation).value("null");
    raw.send(reply().header("kafka_nest-err", "sold out").header("kafka_nest-is-disposed", [0])).await;
    let error = within(SOON, question).await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.message(), error.topic()), (&Code::Handler, "sold out", golden::TOPIC));

    // What the user calls like ours does not lead the answer astray.
    let question = pipeline.ask::<golden>((6, None)).header("kafka_correlationId", "mine");
    let question = tokio::spawn(question.header("kafka_replyTopic", "elsewhere").into_future());
    let request = asked.one().await;
    assert_eq!(request.text("kafka_replyTopic"), inbox);
    let reply = Record::to(inbox).header("kafka_correlationId", request.get("kafka_correlationId"));
    raw.send(reply.value("7")).await;
    assert_eq!(within(SOON, question).await.unwrap().unwrap(), 7);

    pipeline.send::<event>(("hi",)).key("k").await.unwrap();
    let sent = events.one().await;
    assert_eq!((sent.key.as_deref(), sent.value.as_deref()), (Some(&b"k"[..]), Some(&b"\"hi\""[..])));
    assert_eq!(headers(&sent), []);
    pipeline.close().await.unwrap();
}

mod clj {
    use fusion::prelude::*;

    #[reactor(topic = "peers.clj.one", envelope = json)]
    pub(crate) fn one(number: i64) -> i64 {
        number + 1
    }
    #[reactor(topic = "peers.clj.list", envelope = json)]
    pub(crate) fn list(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }
    #[reactor(topic = "peers.clj.any", envelope = json)]
    pub(crate) fn any(value: serde_json::Value) -> serde_json::Value {
        value
    }
    #[reactor(topic = "peers.clj.none", envelope = json)]
    pub(crate) fn none() -> String {
        "none".to_owned()
    }
    #[reactor(topic = "peers.clj.two", envelope = json, retry = 0)]
    pub(crate) fn two(from: i64, amount: Option<i64>) -> Result<i64, String> {
        Ok(from - amount.ok_or("no amount")?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fusion_clj_asks_and_is_asked() {
    #[contract(topic = "peers.clj.foreign", envelope = json)]
    fn foreign(number: i64) -> i64;
    let config = cluster();
    create(&config, &["peers.clj.one"], 1).await;
    let (raw, inbox) = (Raw::new(&config), unique("peers.clj"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let mut letters = Tail::at_end(&config, "peers.clj.one.dlq").await;
    let app = App::new("peers.clj", config.clone());
    let app = start(app.reactors(reactors![clj::one, clj::list, clj::any, clj::none, clj::two])).await;
    let answers = [
        ("one", r#"{"data":[1],"return-topic":"T"}"#, "2"),
        ("one", r#"{"return-topic":"T","data":41,"more":{}}"#, "42"),
        ("one", r#"{"data":[1],"response-topic":"T"}"#, "2"),
        ("one", r#"{"data":[2],"response-topic":"nowhere","return-topic":"T"}"#, "3"),
        ("list", r#"{"data":[1,2,3],"return-topic":"T"}"#, "6"),
        ("list", r#"{"data":[[1,2,3]],"return-topic":"T"}"#, "6"),
        ("any", r#"{"data":[1],"return-topic":"T"}"#, "[1]"),
        ("any", r#"{"data":null,"return-topic":"T"}"#, "null"),
        ("none", r#"{"data":[],"return-topic":"T"}"#, r#""none""#),
        ("two", r#"{"data":[5,2],"return-topic":"T"}"#, "3"),
    ];
    for (topic, value, answer) in answers {
        let value = value.replace("\"T\"", &format!("\"{inbox}\""));
        raw.send(Record::to(format!("peers.clj.{topic}")).value(&*value)).await;
        let reply = replies.one().await;
        assert_eq!(String::from_utf8_lossy(reply.value.as_deref().unwrap()), answer, "{value}");
        assert_eq!(headers(&reply), [("kafka_nest-is-disposed", Some(&[0][..]))]);
    }
    // Nobody is told of what is no envelope, unless the headers say whom.
    let wrong = ["", "null", "[1]", r#"{"dat":[1]}"#, r#"{"data":[1],"return-topic":"a b"}"#];
    for value in wrong {
        let request = Record::to("peers.clj.one").value(value);
        raw.send(request.header("kafka_replyTopic", &*inbox).header("kafka_correlationId", "1")).await;
        let letter = letters.one().await;
        assert_eq!(
            (letter.text("kafka_dlt-exception-fqcn"), letter.value.as_deref()),
            ("decode", Some(value.as_bytes()))
        );
        assert_eq!(replies.one().await.text("fusion-error"), "decode");
    }
    assert_eq!(app.metrics().get(Count::Undecodable), wrong.len() as u64);
    // Policy holds for this reply topic, too.
    raw.send(Record::to("peers.clj.one").value(r#"{"data":[1],"return-topic":"peers.clj.one"}"#)).await;
    assert_eq!(letters.one().await.text("kafka_dlt-exception-fqcn"), "reply_topic");

    // Our own caller in that envelope.
    let mut asked = Tail::at_end(&config, foreign::TOPIC).await;
    let pipeline = Pipeline::connect("clj", config).await.unwrap();
    assert_eq!(pipeline.ask::<clj::two>((9, Some(4))).await.unwrap(), 5);
    let error = pipeline.ask::<clj::two>((9, None)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (&Code::Handler, "no amount"));
    let question = tokio::spawn(pipeline.ask::<foreign>((6,)).into_future());
    let request = asked.one().await;
    let topic = request.text("kafka_replyTopic");
    assert_eq!(request.json(), json!({"data": [6], "return-topic": topic}));
    let reply = Record::to(topic).value("7");
    raw.send(reply.header("kafka_correlationId", request.get("kafka_correlationId"))).await;
    assert_eq!(within(SOON, question).await.unwrap().unwrap(), 7);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}
