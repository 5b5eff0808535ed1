//! The ways that replies take.

mod common;

use std::time::Duration;

use common::{
    Raw, Record, SOON, Tail, cluster, create, eventually, eventually_async, on_real, start, unique, within,
};
use fusion::{Config, Contract, Count, Error, Format, Replies, TopicError, prelude::*};
use fusion_runtime::broker::topics;
use serde_json::json;
use tokio::task::JoinSet;

async fn connect(config: &Config, replies: Replies) -> Result<Pipeline, Error> {
    Pipeline::connect_with("replies", config.clone(), replies, Format::Json).await
}

fn shared(topic: &str, partition: i32) -> Replies {
    Replies::Shared { topic: topic.to_owned(), partition }
}

/// Whether a topic is there. Only a real broker deletes any.
async fn exists(config: &Config, topic: &str) -> bool {
    let (config, topic) = (config.clone(), topic.to_owned());
    let required = tokio::task::spawn_blocking(move || {
        topics::ensure(&config, &[topics::TopicSpec::named(topic)], fusion::TopicPolicy::Require)
    });
    match required.await.unwrap() {
        Ok(_) => true,
        Err(TopicError::Missing { .. }) => false,
        // On its way out.
        Err(TopicError::NoLeader { .. } | TopicError::Refused { .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

async fn assert_deleted(config: &Config, topic: &str) {
    if on_real() {
        eventually_async(SOON, async || !exists(config, topic).await).await;
    }
}

#[reactor(topic = "replies.echo", concurrency = 100)]
async fn echo(number: i64) -> i64 {
    number
}

#[reactor(topic = "replies.twice", deps! < one: "replies.echo"(number); two: "replies.echo"(one) >)]
async fn twice(number: i64, one: i64, two: i64) -> i64 {
    one + two
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_used_by_nobody_else_and_deleted() {
    #[contract(topic = "replies.inbox.asked")]
    fn asked(number: i64) -> i64;
    let config = cluster();
    let (mut requests, raw) = (Tail::at_end(&config, asked::TOPIC).await, Raw::new(&config));
    let (one, two) =
        (connect(&config, Replies::Inbox).await.unwrap(), connect(&config, Replies::Inbox).await.unwrap());
    let mut inboxes = Vec::new();
    for (number, pipeline) in [(1, &one), (2, &two)] {
        let question = tokio::spawn(pipeline.ask::<asked>((number,)).into_future());
        let request = requests.one().await;
        let inbox = request.text("kafka_replyTopic").to_owned();
        assert!(
            inbox.starts_with("fusion.inbox.replies.") && !request.has("kafka_replyPartition"),
            "{request:?}"
        );
        let reply = Record::to(&*inbox).header("kafka_correlationId", request.get("kafka_correlationId"));
        let (partition, offset) = raw.send(reply.value("0")).await;
        assert_eq!((partition, offset), (0, 0), "the first record of the only partition");
        assert_eq!(within(SOON, question).await.unwrap().unwrap(), 0);
        assert!(exists(&config, &inbox).await);
        inboxes.push(inbox);
    }
    assert_ne!(inboxes[0], inboxes[1]);
    one.close().await.unwrap();
    assert_deleted(&config, &inboxes[0]).await;
    assert!(exists(&config, &inboxes[1]).await);
    // Whoever still waits hears of the end.
    let waiting = tokio::spawn(two.ask::<asked>((3,)).into_future());
    requests.one().await;
    two.clone().close().await.unwrap();
    let error = within(SOON, waiting).await.unwrap().unwrap_err();
    assert!(error.message().contains("shut") && !error.is_retryable(), "{error}");
    let error = within(SOON, two.ask::<asked>((4,)).into_future()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert_deleted(&config, &inboxes[1]).await;
    assert_eq!(requests.rest(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_partition_gives_everybody_their_own() {
    let config = cluster();
    let topic = unique("replies.shared");
    create(&config, &[&topic], 2).await;
    let mut replies = Tail::at_end(&config, &topic).await;
    let app = App::new("replies.shared", config.clone()).reactors(reactors![echo, twice]);
    let app = start(app.replies(shared(&topic, 1))).await;
    let pipelines = [
        connect(&config, shared(&topic, 1)).await.unwrap(),
        connect(&config, shared(&topic, 1)).await.unwrap(),
    ];
    let mut asked = JoinSet::new();
    for number in 0..50 {
        for pipeline in pipelines.clone() {
            asked.spawn(
                async move { assert_eq!(pipeline.ask::<twice>((number,)).await.unwrap(), 2 * number) },
            );
        }
    }
    while let Some(answered) = within(SOON, asked.join_next()).await {
        answered.unwrap();
    }
    // 100 answers of `twice`, and the 200 that it asked for, all in that partition.
    let replies = replies.take(300).await;
    assert!(replies.iter().all(|reply| reply.partition == Some(1)));
    // Each of the three saw all, took its own and counted the others'.
    for pipeline in &pipelines {
        eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 250).await;
    }
    eventually(SOON, || app.metrics().get(Count::UnknownReplies) == 100).await;
    for pipeline in pipelines {
        pipeline.close().await.unwrap();
    }
    app.shutdown().await.unwrap();
    assert!(exists(&config, &topic).await, "it is not ours to delete");

    let missing = unique("replies.shared.missing");
    let error = connect(&config, shared(&missing, 0)).await.unwrap_err();
    assert!(error.to_string().contains(&missing), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_shared_topic_was_joined_is_not_read() {
    let config = cluster();
    let topic = unique("replies.late");
    let raw = Raw::new(&config);
    create(&config, &[&topic], 1).await;
    for _ in 0..100 {
        raw.send(
            Record::to(&*topic).value("1").header("kafka_correlationId", uuid::Uuid::new_v4().to_string()),
        )
        .await;
    }
    let pipeline = connect(&config, shared(&topic, 0)).await.unwrap();
    raw.send(Record::to(&*topic).value("1").header("kafka_correlationId", uuid::Uuid::new_v4().to_string()))
        .await;
    eventually(SOON, || pipeline.metrics().get(Count::UnknownReplies) == 1).await;
    pipeline.close().await.unwrap();
}

/// fusion-clj's way: who answers needs to know nothing but the topic.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_for_each_request_needs_no_id() {
    #[contract(topic = "replies.ephemeral", envelope = json)]
    fn ephemeral(number: i64) -> i64;
    let config = cluster();
    let (mut requests, raw) = (Tail::at_end(&config, ephemeral::TOPIC).await, Raw::new(&config));
    let pipeline = connect(&config, Replies::Ephemeral).await.unwrap();
    let questions = [1, 2].map(|number| tokio::spawn(pipeline.ask::<ephemeral>((number,)).into_future()));
    let asked = requests.take(2).await;
    let mut topics = Vec::new();
    // The second one first, and each twice: they cannot be mixed up.
    for request in asked.iter().rev() {
        let value = request.json();
        let (topic, number) = (value["return-topic"].as_str().unwrap(), value["data"][0].as_i64().unwrap());
        // The second one may come when the topic is gone, and must not bring it back.
        for value in [number * 10, 0] {
            drop(raw.queue(&Record::to(topic).value(json!(value).to_string())));
        }
        topics.push(topic.to_owned());
    }
    for (question, answer) in questions.into_iter().zip([10, 20]) {
        assert_eq!(within(SOON, question).await.unwrap().unwrap(), answer);
    }
    assert_ne!(topics[0], topics[1]);
    for topic in &topics {
        assert_deleted(&config, topic).await;
    }
    // And one that nobody answers.
    let error = pipeline.ask::<ephemeral>((3,)).within(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!(error.code(), &fusion::Code::Timeout);
    let value = requests.one().await.json();
    assert_deleted(&config, value["return-topic"].as_str().unwrap()).await;
    pipeline.close().await.unwrap();
}
