//! Topics that must be there.

use fusion::{Error, TopicError, TopicPolicy, prelude::*};
use fusion_runtime::broker::{TopicSpec, topics};

use crate::{
    common::{cluster, start, unique},
    look::Look,
};

async fn ensure(specs: Vec<TopicSpec>, policy: TopicPolicy) -> Result<Vec<i32>, TopicError> {
    let ensured = tokio::task::spawn_blocking(move || topics::ensure(&cluster(), &specs, policy));
    Ok(ensured.await.unwrap()?.into_iter().map(|topic| topic.partitions).collect())
}

fn delete(names: &[&str]) {
    topics::delete(&cluster(), names).unwrap();
}

pub async fn missing_topics_are_created_as_configured() {
    let [one, two] = [unique("created"), unique("created")];
    let three = TopicPolicy::Create { partitions: Some(3), replication: Some(1) };
    let specs = vec![
        TopicSpec::named(&*one),
        TopicSpec {
            partitions: Some(5),
            config: vec![("retention.ms".into(), "60000".into())],
            ..TopicSpec::named(&*two)
        },
    ];
    assert_eq!(ensure(specs.clone(), three).await.unwrap(), [3, 5]);
    let look = Look::new(&cluster(), "look");
    assert_eq!((look.partitions(&one), look.partitions(&two)), (3, 5));
    assert_eq!(look.setting(&two, "retention.ms").await, "60000");
    // What exists is left as it is.
    let nine = TopicPolicy::Create { partitions: Some(9), replication: None };
    assert_eq!(ensure(specs.clone(), nine).await.unwrap(), [3, 5]);
    assert_eq!(ensure(specs, TopicPolicy::Require).await.unwrap(), [3, 5]);
    tokio::task::spawn_blocking(move || delete(&[&one, &two])).await.unwrap();

    // An app's own topics, as many partitions as it says.
    #[reactor(topic = "real.made")]
    fn made() {}
    let config = cluster().topics(TopicPolicy::Create { partitions: Some(2), replication: None });
    let app = start(App::new(unique("made"), config).reactors(reactors![made])).await;
    assert_eq!((look.partitions("real.made"), look.partitions("real.made.dlq")), (2, 2));
    app.shutdown().await.unwrap();
}

pub async fn missing_topics_are_named() {
    #[reactor(topic = "real.never.created")]
    fn never() {}
    let config = cluster().topics(TopicPolicy::Require);
    let error = App::new(unique("never"), config).reactors(reactors![never]).start().await.unwrap_err();
    let Error::Topic(TopicError::Missing { topics, .. }) = &error else { panic!("{error}") };
    assert_eq!(topics[..], ["real.never.created", "real.never.created.dlq"]);
    assert!(Look::new(&cluster(), "look").topics("real.never").is_empty());
}
