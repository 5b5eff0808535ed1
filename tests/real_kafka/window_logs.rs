//! The topics that windows' logs are.

use fusion::{Start, prelude::*};
use fusion_runtime::broker::{TopicPolicy, TopicSpec, topics};
use rdkafka::{
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};

use crate::{
    common::{create, start, unique},
    look::Look,
    windows::{Reading, config},
};

#[reactor(
    window! < readings: "logs.brake" by id at time >,
    tumbling = 1h, grace = 1s,
)]
fn logged(readings: Vec<Reading>) {
    drop(readings);
}

pub async fn a_log_is_made_to_keep_everything() {
    let (group, config) = (unique("logs"), config("classic").start(Start::Latest).largest_value(3_000_000));
    create(&config, &["logs.brake"], 1).await;
    let app = start(App::new(&*group, config.clone()).reactors(reactors![logged])).await;
    let (look, log) = (Look::new(&config, &group), format!("{group}.logged.repartition"));
    for (name, value) in [
        ("cleanup.policy", "delete"),
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("message.timestamp.type", "CreateTime"),
        ("max.message.bytes", "3049152"),
    ] {
        assert_eq!(look.setting(&log, name).await, value, "{name}");
    }
    app.shutdown().await.unwrap();
    // What it was made with is too little for an app that sends more.
    let larger = App::new(&*group, config.largest_value(3_000_001)).reactors(reactors![logged]);
    let error = larger.start().await.unwrap_err();
    let fusion::Error::WindowStart { reason, .. } = &error else { panic!("{error}") };
    assert!(reason.ends_with("--add-config max.message.bytes=3049153`"), "{reason}");
}

pub async fn a_log_that_would_lose_records_is_refused_until_it_is_mended() {
    let (group, config) = (unique("logs"), config("classic").start(Start::Latest));
    create(&config, &["logs.brake"], 1).await;
    let log = format!("{group}.logged.repartition");
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let spec = TopicSpec {
        partitions: Some(1),
        config: vec![
            setting("cleanup.policy", "compact,delete"),
            setting("retention.ms", "604800000"),
            setting("retention.bytes", "1000000"),
        ],
        ..TopicSpec::named(&*log)
    };
    let asking = config.clone();
    let made = tokio::task::spawn_blocking(move || topics::ensure(&asking, &[spec], TopicPolicy::default()));
    made.await.unwrap().unwrap();
    let app = || App::new(&*group, config.clone()).reactors(reactors![logged]);
    let error = app().start().await.unwrap_err();
    let fusion::Error::WindowStart { name, reason } = &error else { panic!("{error}") };
    assert_eq!(*name, "logged");
    for part in [
        "is compacted (`cleanup.policy`)",
        "`retention.ms` = 604800000",
        "`retention.bytes` = 1000000",
        &format!(
            "--entity-name {log} --add-config cleanup.policy=delete,retention.ms=-1,retention.bytes=-1`"
        ),
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    let admin: AdminClient<DefaultClientContext> = config.admin().unwrap().create().unwrap();
    let mended = AlterConfig::new(ResourceSpecifier::Topic(&log))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1");
    admin.alter_configs([&mended], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    start(app()).await.shutdown().await.unwrap();
}
