//! What callers and topics do wrong, and what it costs nobody else.

mod common;

use std::time::{Duration, Instant};

use common::{Raw, Record, SOON, Tail, cluster, create, eventually, on_real, start, unique, within};
use fusion::{Code, Config, Contract, Count, Error, ProduceError, TopicError, TopicPolicy, prelude::*};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_an_error_before_it_is_sent() {
    #[reactor(topic = "failures.large", retry = 0)]
    async fn large(text: String) -> String {
        text.repeat(3)
    }
    #[reactor(topic = "failures.large.to", to = "failures.large.target")]
    async fn large_to(text: String) -> String {
        text.repeat(3)
    }
    let config = cluster().largest_value(1000);
    create(&config, &[large::TOPIC], 1).await;
    let mut asked = Tail::at_end(&config, large::TOPIC).await;
    let mut letters = Tail::at_end(&config, "failures.large.to.dlq").await;
    let app = start(App::new("failures.large", config.clone()).reactors(reactors![large, large_to])).await;
    let pipeline = Pipeline::connect("large", config).await.unwrap();

    let text = "x".repeat(2000);
    let error = pipeline.send::<large>((&text,)).await.unwrap_err();
    let Error::Produce(ProduceError::TooLarge { topic, part, size, limit, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((&*topic, part, size, limit), (large::TOPIC, "key and value", 2002, 1000));
    let began = Instant::now();
    let error = pipeline.ask::<large>((&text,)).retry(3).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (&Code::TooLarge, false));
    assert!(began.elapsed() < Duration::from_secs(5), "it is not repeated");
    let error = pipeline.send::<large>(("a",)).header("much", "x".repeat(40_000)).await.unwrap_err();
    assert!(matches!(error, Error::Produce(ProduceError::TooLarge { part: "headers", .. })), "{error:?}");

    // The request fits, its answer does not.
    let error = pipeline.ask::<large>(("x".repeat(500),)).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (&Code::TooLarge, false));
    assert!(error.message().contains("largest_value"), "{}", error.message());
    assert_eq!(error.topic(), large::TOPIC);
    assert_eq!(pipeline.ask::<large>(("ok",)).await.unwrap(), "okokok");
    let requests = asked.take(2).await;
    assert_eq!((requests[0].json(), requests[1].json()), (json!("x".repeat(500)), json!("ok")));
    assert_eq!(asked.rest(), []);
    // Nothing of the size can be sent on, so the record itself is the dead letter.
    pipeline.send::<large_to>(("x".repeat(500),)).await.unwrap();
    assert_eq!(letters.one().await.text("kafka_dlt-exception-fqcn"), "too_large");
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_topic_that_is_not_allowed_gets_nothing() {
    #[reactor(topic = "failures.own", to = "failures.own.to")]
    fn own(number: i64) -> i64 {
        number
    }
    #[reactor(topic = "failures.other")]
    fn other(number: i64) -> i64 {
        number
    }
    let config = cluster();
    create(&config, &[own::TOPIC, other::TOPIC], 1).await;
    let raw = Raw::new(&config);
    let mut letters = Tail::at_end(&config, "failures.own.dlq").await;
    let (mut owns, mut others) =
        (Tail::at_end(&config, own::TOPIC).await, Tail::at_end(&config, other::TOPIC).await);
    let mut sent = Tail::at_end(&config, "failures.own.to").await;
    let app = start(App::new("failures.own", config).reactors(reactors![own, other])).await;
    let long = "a".repeat(250);
    let refused: [&[u8]; 9] = [
        b"failures.own",
        b"failures.other",
        b"__consumer_offsets",
        b"__anything",
        b"",
        b"..",
        b"two words",
        b"\xff\xfe",
        long.as_bytes(),
    ];
    for topic in refused {
        raw.send(Record::to(own::TOPIC).value("1").header("kafka_replyTopic", topic)).await;
        let letter = letters.one().await;
        assert_eq!(letter.text("kafka_dlt-exception-fqcn"), "reply_topic", "{topic:?}");
        assert_eq!(letter.get("kafka_replyTopic"), topic);
        assert_eq!(owns.one().await.json(), json!(1), "the request itself");
    }
    let metrics = app.metrics();
    assert_eq!(metrics.get(Count::ReplyTopicRefused), refused.len() as u64);
    // It was not run, either: what it would have done would be done for nobody.
    assert_eq!((metrics.get(Count::Succeeded), metrics.get(Count::Replies)), (0, 0));
    // A header without a value was not sent, says the wire: this is an event.
    raw.send(Record::to(own::TOPIC).value("2").null_header("kafka_replyTopic")).await;
    raw.send(Record::to(other::TOPIC).value("3")).await;
    assert_eq!(sent.one().await.json(), json!(2));
    assert_eq!(others.one().await.json(), json!(3));
    assert_eq!(owns.one().await.json(), json!(2));
    eventually(SOON, || app.metrics().get(Count::Succeeded) == 2).await;
    assert_eq!((owns.rest(), others.rest(), letters.rest()), (vec![], vec![], vec![]));
    app.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_cannot_be_read_cost_only_what_they_mean() {
    #[reactor(topic = "failures.headers")]
    fn headers(number: i64, headers: Headers) -> (i64, usize) {
        (number, headers.iter().count())
    }
    let config = cluster();
    create(&config, &[headers::TOPIC], 1).await;
    let (raw, inbox) = (Raw::new(&config), unique("failures.inbox"));
    let mut replies = Tail::at_end(&config, &inbox).await;
    let app = start(App::new("failures.headers", config).reactors(reactors![headers])).await;
    let request = || Record::to(headers::TOPIC).value("1").header("kafka_replyTopic", &*inbox);

    // Ignored and counted; the answer tells how many headers the handler saw.
    let ignored = [
        request().header("kafka_replyPartition", "x"),
        request().header("kafka_replyPartition", [1, 2, 3, 4, 5]),
        request().header("fusion-deadline", "soon"),
        request().header("fusion-deadline", "99999999999999999999999"),
        request().header("traceparent", [0xff]),
        request().header("kafka_replyTopic", &*inbox),
    ];
    for record in &ignored {
        raw.send(record.clone()).await;
        assert_eq!(replies.one().await.json(), json!([1, 2]), "{record:?}");
    }
    let many = (0..2000).fold(request(), |record, at| record.header(&format!("h{at}"), [0xff; 300]));
    raw.send(many).await;
    assert_eq!(replies.one().await.json(), json!([1, 2001]));
    assert_eq!(app.metrics().get(Count::HeaderFaults), ignored.len() as u64);
    // Nobody knows how to read the value then.
    for content_type in [&b"text/html"[..], b"", b"\xff"] {
        raw.send(request().header("content-type", content_type)).await;
        assert_eq!(replies.one().await.text("fusion-error"), "decode");
    }
    raw.send(request().header("content-type", "application/json")).await;
    assert_eq!(replies.one().await.json(), json!([1, 2]));
    assert_eq!(app.metrics().get(Count::Undecodable), 3);
    app.shutdown().await.unwrap();
}

/// The inbox of a caller that is gone will not come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_to_a_topic_that_does_not_exist_is_lost_and_counted() {
    #[reactor(topic = "failures.gone", retry = 0)]
    fn gone(number: i64) -> Result<i64, String> {
        if number < 0 { Err("negative".into()) } else { Ok(number) }
    }
    let config = cluster();
    let raw = Raw::new(&config);
    let mut letters = Tail::at_end(&config, "failures.gone.dlq").await;
    let app = start(App::new("failures.gone", config).reactors(reactors![gone])).await;
    if !on_real() {
        // The embedded broker makes what is asked for.
        app.shutdown().await.unwrap();
        return;
    }
    for number in ["1", "-1"] {
        let inbox = unique("failures.gone.inbox");
        raw.send(Record::to(gone::TOPIC).value(number).header("kafka_replyTopic", &*inbox)).await;
    }
    assert_eq!(letters.one().await.json(), json!(-1));
    eventually(SOON, || app.metrics().get(Count::RepliesLost) == 2).await;
    let stopping = Instant::now();
    app.shutdown().await.unwrap();
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_names_no_request_is_counted() {
    let config = cluster();
    let (raw, topic) = (Raw::new(&config), unique("failures.strays"));
    let mut asked = Tail::at_end(&config, &topic).await;
    let pipeline = Pipeline::connect("strays", config).await.unwrap();
    let question = tokio::spawn(pipeline.ask_value(&topic, json!(1)).into_future());
    let request = asked.one().await;
    let reply = || Record::to(request.text("kafka_replyTopic")).value("2");
    let id = || reply().header("kafka_correlationId", request.get("kafka_correlationId"));
    raw.send(reply()).await;
    raw.send(reply().header("kafka_correlationId", "mine")).await;
    raw.send(reply().null_header("kafka_correlationId")).await;
    raw.send(reply().header("kafka_correlationId", uuid::Uuid::new_v4().to_string())).await;
    eventually(SOON, || pipeline.metrics().get(Count::UnreadableReplies) == 3).await;
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 1).await;
    assert!(!question.is_finished());
    for _ in 0..3 {
        raw.send(id()).await;
    }
    assert_eq!(within(SOON, question).await.unwrap().unwrap(), json!(2));
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 3).await;

    // A tombstone is `null`; an answer in a format nobody knows, or that does not decode, is an error.
    for (record, expected) in [
        (Record { value: None, ..id() }, Ok(json!(null))),
        (id().header("content-type", "text/html"), Err(Code::Decode)),
        (id().value("{"), Err(Code::Decode)),
        (id().value(""), Err(Code::Decode)),
        (id().null_header("fusion-error"), Err(Code::Other("".into()))),
        (id().header("kafka_nest-err", "broken"), Err(Code::Handler)),
        (id().header("fusion-error", "timeout").value([0xff]), Err(Code::Timeout)),
    ] {
        let question = tokio::spawn(pipeline.ask_value(&topic, json!(1)).into_future());
        let request = asked.one().await;
        let mut record = record;
        record.headers[0].1 = Some(request.get("kafka_correlationId").to_vec());
        raw.send(record).await;
        let answer = within(SOON, question).await.unwrap();
        assert_eq!(answer.map_err(|error| error.code().clone()), expected);
    }
    pipeline.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_start_says_why() {
    #[reactor(topic = "failures.start", deps! < one: "failures.start.asked"(1) -> i64 >)]
    fn starts(one: i64) -> i64 {
        one
    }
    #[reactor(topic = starts, deps! < one: "failures.start.asked"(1) -> i64 >)]
    fn twin(one: i64) -> i64 {
        one
    }
    let config = cluster();
    let none = App::new("failures.none", config.clone()).start().await.unwrap_err();
    assert!(matches!(&none, Error::NoReactors { app } if app == "failures.none"), "{none:?}");
    let twice =
        App::new("failures.twice", config.clone()).reactors(reactors![starts]).reactors(reactors![twin]);
    let twice = twice.start().await.unwrap_err();
    assert!(
        matches!(&twice, Error::Twice { what: "topic", name, .. } if name == "failures.start"),
        "{twice}"
    );

    let strict = config.clone().topics(TopicPolicy::Require);
    let missing = App::new("failures.start", strict.clone()).reactors(reactors![starts]).start().await;
    let Err(Error::Topic(TopicError::Missing { topics, .. })) = missing else { panic!("{missing:?}") };
    assert_eq!(topics, ["failures.start", "failures.start.asked", "failures.start.dlq"]);
    let pipeline = Pipeline::connect("strict", strict).await.unwrap();
    let topic = unique("failures.missing");
    let error = pipeline.ask_value(&topic, json!(1)).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (&Code::UnknownTopic, false));
    assert!(error.message().contains(&*topic), "{}", error.message());
    let error = pipeline.send_value(&topic, json!(1)).await.unwrap_err();
    assert!(error.to_string().contains(&*topic), "{error}");
    let error = pipeline.send_value("no topic", json!(1)).await.unwrap_err();
    assert!(error.to_string().contains("`no topic` cannot be a topic"), "{error}");
    pipeline.close().await.unwrap();

    // Nobody listens on this port: binding it made sure, and letting it go left it free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let absent = Config::new(port.to_string()).connect_limit(Duration::from_secs(1));
    let began = Instant::now();
    let (app, pipeline) = tokio::join!(
        App::new("failures.absent", absent.clone()).reactors(reactors![starts]).start(),
        Pipeline::connect("absent", absent),
    );
    for error in [app.unwrap_err(), pipeline.unwrap_err()] {
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
