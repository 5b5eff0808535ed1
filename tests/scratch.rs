#![allow(non_camel_case_types, missing_docs)]
use fusion::__private as p;
use fusion::{App, Config, Failure, Pipeline};
use std::time::*;
struct add {}
impl p::Contract for add {
    const TOPIC: &'static str = "add";
    type Params = p::List<i64>;
    type Reply = i64;
    type Least = p::Least<0>;
}
impl p::Answers for add {}
impl p::Reactor for add {
    type Contract = add;
    type Payload = (Vec<i64>,);
    type HandIns = ();
    type Value = i64;
    type Needs = ();
    const SPEC: p::ReactorSpec = p::ReactorSpec::new("add", "add");
    fn run((n,): (Vec<i64>,), _: ()) -> impl Future<Output = Result<i64, Failure>> + Send + 'static {
        async move { Ok(n.iter().sum()) }
    }
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch() {
    let t = Instant::now();
    let config = match std::env::var("KAFKA_BOOTSTRAP_SERVERS") {
        Ok(b) => Config::new(b),
        _ => Config::embedded().unwrap(),
    };
    let app = App::new(format!("math{}", std::process::id()), config.clone())
        .reactors(p::set::<p::Reactors<add, p::Nil>>())
        .start()
        .await
        .unwrap();
    println!("started {:?}", t.elapsed());
    let pipeline = Pipeline::connect("caller", config).await.unwrap();
    println!("connected {:?}", t.elapsed());
    assert_eq!(pipeline.ask::<add>((1, 2, 3)).await.unwrap(), 6);
    println!("asked {:?}", t.elapsed());
    for _ in 0..5 {
        let t = Instant::now();
        pipeline.ask::<add>((1, 2, 3)).await.unwrap();
        println!("again {:?}", t.elapsed());
    }
    let t2 = Instant::now();
    let n = 10000;
    let mut js = tokio::task::JoinSet::new();
    for i in 0..n {
        let p = pipeline.clone();
        js.spawn(async move { assert_eq!(p.ask::<add>((1, i)).await.unwrap(), 1 + i) });
    }
    while let Some(x) = js.join_next().await {
        x.unwrap();
    }
    println!("{n} asks {:?}", t2.elapsed());
    let t3 = Instant::now();
    pipeline.close().await.unwrap();
    println!("closed {:?}", t3.elapsed());
    app.shutdown().await.unwrap();
    println!("shut down {:?}", t3.elapsed());
}
