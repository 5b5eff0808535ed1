//! The topics that replies go to.

use std::{
    future::IntoFuture,
    time::{Duration, Instant},
};

use fusion::{Count, Format, Replies, prelude::*};

use crate::{
    common::{SOON, cluster, eventually, start, unique},
    look::Look,
    work::config,
};

#[reactor(topic = "real.patient", concurrency = 16)]
async fn patient(millis: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    millis
}

#[reactor(topic = "real.asks", deps! < one: "real.patient"(1) >)]
async fn asks(one: u64) -> u64 {
    one
}

pub async fn an_inbox_is_deleted_and_keeps_nothing_for_long() {
    let name = unique("inbox");
    let look = Look::new(&cluster(), &name);
    let pipeline = Pipeline::connect(&name, cluster()).await.unwrap();
    let app = start(App::new(format!("{name}.app"), config()).reactors(reactors![patient, asks])).await;
    let inboxes = || look.topics(&format!("fusion.inbox.{name}."));
    assert_eq!(inboxes().len(), 2, "{:?}", inboxes());
    for inbox in inboxes() {
        assert_eq!(look.partitions(&inbox), 1);
        assert_eq!(look.setting(&inbox, "retention.ms").await, "3600000");
        assert_eq!(look.setting(&inbox, "cleanup.policy").await, "delete");
    }
    assert_eq!(pipeline.ask::<asks>(()).within(SOON).await.unwrap(), 1);
    app.shutdown().await.unwrap();
    pipeline.close().await.unwrap();
    eventually(SOON, || inboxes().is_empty()).await;
}

pub async fn ephemeral_topics_do_not_disturb_each_other() {
    let name = unique("ephemeral");
    let look = Look::new(&cluster(), &name);
    let before = look.topics("fusion.reply.");
    let app = start(App::new(&*name, config()).reactors(reactors![patient])).await;
    let pipeline = Pipeline::connect_with(&name, cluster(), Replies::Ephemeral, Format::Json).await.unwrap();
    let ask = |millis, seconds| pipeline.ask::<patient>((millis,)).within(Duration::from_secs(seconds));
    // One waits while others are answered, forgotten and asked again.
    let slow = tokio::spawn(ask(4000, 20).into_future());
    let late = tokio::spawn(ask(1500, 3).retry(2).into_future());
    assert_eq!(ask(10, 20).await.unwrap(), 10);
    let forgotten = tokio::time::timeout(Duration::from_millis(50), ask(2000, 20).into_future()).await;
    assert!(forgotten.is_err());
    assert_eq!(ask(20, 20).await.unwrap(), 20);
    // Each attempt has a second, and each answer takes longer.
    assert_eq!(late.await.unwrap().unwrap_err().code(), &fusion::Code::Timeout);
    assert_eq!(slow.await.unwrap().unwrap(), 4000);
    assert_eq!(pipeline.metrics().get(Count::UnreadableReplies), 0);
    // One more, whose topic nobody but the end of the pipeline deletes.
    let asked = pipeline.metrics().get(Count::Requests);
    let last = tokio::spawn(ask(8000, 20).into_future());
    eventually(SOON, || pipeline.metrics().get(Count::Requests) > asked).await;
    pipeline.close().await.unwrap();
    assert!(last.await.unwrap().is_err());
    app.shutdown().await.unwrap();
    eventually(SOON, || look.topics("fusion.reply.").iter().all(|topic| before.contains(topic))).await;
}

pub async fn nobody_asks_a_closed_pipeline() {
    let pipeline = Pipeline::connect("closed", cluster()).await.unwrap();
    let other = pipeline.clone();
    pipeline.close().await.unwrap();
    let began = Instant::now();
    assert!(other.ask::<patient>((1,)).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
