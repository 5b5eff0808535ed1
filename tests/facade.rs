//! Whatever a public function gives can be named by whoever depends on `fusion` alone.

use fusion::{
    Ask, Caller, HeadersIter, HeadersRef, HeadersRefIter, Metrics, Pipeline, Position, Record, RecordRef,
    Results, Running, SendRecord, Settings, UnknownOrder,
    prelude::*,
    testing::{ContextBuilder, SentBuilder, TestRun, Tester, context, sent},
};

#[reactor(topic = "half")]
fn half(number: i64) -> i64 {
    number / 2
}

struct Held<'a> {
    asking: Ask<i64>,
    sending: SendRecord,
    metrics: Metrics,
    results: Results<i64>,
    settings: &'a Settings,
}

/// That a contract [`Answers`](fusion::Answers) is all that asking needs to know of it.
fn ask<C: fusion::Answers>(pipeline: &Pipeline, args: impl fusion::rules::Fits<C::Params>) -> Ask<C::Reply> {
    pipeline.ask::<C>(args)
}

fn hold<'a>(config: &'a Config, pipeline: &Pipeline, app: &Running) -> Held<'a> {
    Held {
        asking: ask::<half>(pipeline, (4,)),
        sending: pipeline.send::<half>((4,)),
        metrics: app.metrics(),
        results: app.results::<half>(),
        settings: config.settings(),
    }
}

async fn asked<T>(
    pipeline: &Pipeline,
    graph: impl AsyncFnOnce(Caller) -> Result<T, CallError>,
) -> Result<T, CallError> {
    pipeline.run(async |caller| graph(caller).await).await
}

#[tokio::test]
async fn what_pipelines_and_apps_give_can_be_held() {
    let config = Config::embedded().unwrap();
    let app = App::new("halves", config.clone()).reactors(reactors![half]).start().await.unwrap();
    let pipeline = Pipeline::connect("caller", config.clone()).await.unwrap();
    let mut held = hold(&config, &pipeline, &app);
    assert_eq!(held.asking.await.unwrap(), 2);
    assert_eq!(held.results.next().await.unwrap().unwrap().value, 2);
    let written: Position = held.sending.await.unwrap();
    assert_eq!(written.topic, "half");
    assert_eq!((held.metrics.iter().count(), held.settings.hops), (fusion::Count::ALL.len(), 16));
    assert_eq!(asked(&pipeline, async |_| Ok(1)).await.unwrap(), 1);
    pipeline.close().await.unwrap();
    app.shutdown().await.unwrap();
}

#[test]
fn what_values_give_can_be_held() {
    let headers = Headers::from_iter([("tenant", Some("red"))]);
    let mut names: HeadersIter<'_> = headers.iter();
    assert_eq!(names.next(), Some(("tenant", Some(&b"red"[..]))));
    let record = Record { headers: headers.clone(), ..Record::default() };
    let borrowed: RecordRef<'_> = record.as_ref();
    let mut names: HeadersRefIter<'_> = HeadersRef::iter(borrowed.headers);
    assert_eq!(names.next(), Some((&b"tenant"[..], Some(&b"red"[..]))));
    let wrong: Result<fusion::Order, UnknownOrder> = "sideways".parse();
    assert!(wrong.is_err());
    let (context, sent): (ContextBuilder, SentBuilder) = (context(), sent("half"));
    assert_eq!((context.build().topic(), sent.build().topic), ("test", "half"));
    let tester = Tester::new();
    let run: TestRun<i64> = tester.run::<half>((2,));
    assert!(format!("{run:?}").contains("half"));
}

/// Nothing in an error is of a crate that users do not depend on.
#[test]
fn errors_are_of_our_own_or_of_std() {
    fn words(error: fusion::Error) -> String {
        match error {
            fusion::Error::Client { client, error } => {
                let error: Box<dyn std::error::Error + Send + Sync> = error;
                format!("{client}: {error}")
            }
            fusion::Error::Produce(fusion::ProduceError::Broker { code, .. }) => {
                let code: i32 = code;
                format!("{code}")
            }
            other => other.to_string(),
        }
    }
    let broker = fusion::EmbeddedKafka::start().unwrap();
    broker.create_topic("half", 1).unwrap();
    let twice: fusion::Error = broker.create_topic("half", 1).unwrap_err();
    assert!(words(twice).starts_with("embedded broker: "));
}
