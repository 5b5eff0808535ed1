//! Brokers that end and come back, while asks and work go on.
//!
//! It needs the cluster of `scripts/kafka`, which can end and restart its nodes, and has it to itself.

use std::{collections::HashSet, future::IntoFuture, process::Command, time::Duration};

use fusion::{Contract, Count, prelude::*};
use serde_json::json;

use crate::{
    common::{Raw, Record, SOON, create, eventually, start, unique, within},
    look::Look,
    work::{self, Job, Log, check_order, config, ended, lowest_unfinished},
};

/// A node's start takes longer than what is to come of it.
const LONG: Duration = Duration::from_secs(90);
const PARTITIONS: i32 = 4;

fn script(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/kafka")).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the tests run on the script's cluster: the variable is as the script says.
pub fn is_ours() -> bool {
    let Ok(servers) = std::env::var("KAFKA_BOOTSTRAP_SERVERS") else { return false };
    script(&["env"]).is_some_and(|line| line.trim() == format!("export KAFKA_BOOTSTRAP_SERVERS={servers}"))
}

/// The numbers of its nodes.
pub fn nodes() -> Vec<String> {
    let status = script(&["status"]).expect("every node runs");
    status.lines().map(|line| line.split([' ', ':']).nth(1).unwrap().to_owned()).collect()
}

pub async fn told(command: &'static str, node: &str) {
    let node = node.to_owned();
    let told = tokio::task::spawn_blocking(move || script(&[command, &node]).is_some()).await;
    assert!(told.unwrap(), "scripts/kafka {command}");
}

#[reactor(topic = "real.restart.double", concurrency = 100)]
async fn double(number: u64) -> u64 {
    2 * number
}

pub async fn asks_and_work_go_on_when_nodes_restart() {
    let (group, topic, config) = (unique("restarted"), work::restarted::TOPIC, config());
    create(&config, &[topic, double::TOPIC], PARTITIONS).await;
    let (log, look) = (Log::new(&group), Look::new(&config, &group));
    let begin = look.ends(topic);
    let worker = start(work::restarted::app(&group, config.clone(), log.clone())).await;
    let doubler = start(App::new(unique("doubler"), config.clone()).reactors(reactors![double])).await;
    let pipeline = Pipeline::connect("restart", config.clone()).await.unwrap();
    let ask = async |number: u64| {
        let asked = pipeline.ask::<double>((number,)).within(LONG).retry(8);
        assert_eq!(asked.await.unwrap(), 2 * number);
    };
    ask(0).await;
    let nodes = nodes();
    for (turn, node) in nodes.iter().enumerate() {
        let raw = Raw::new(&config);
        let job = |number: usize| Job { key: format!("key-{}", number % 16), millis: 20 };
        let send = |number| {
            let job = job(number);
            raw.queue(&Record::to(topic).value(json!(job).to_string()).key(job.key))
        };
        for report in (0..200).map(send).collect::<Vec<_>>() {
            report.await.unwrap().unwrap();
        }
        let before = log.read().len();
        eventually(SOON, || log.read().len() > before + 20).await;
        told("kill", node).await;
        // While it is away. Alone, it has to come back for the answer; of three, the others go on.
        let number = turn as u64 + 1;
        let away = pipeline.ask::<double>((number,)).within(LONG).retry(8).into_future();
        if nodes.len() > 1 {
            assert_eq!(within(LONG, away).await.unwrap(), 2 * number);
            told("restart", node).await;
        } else {
            let away = tokio::spawn(away);
            told("restart", node).await;
            assert_eq!(within(LONG, away).await.unwrap().unwrap(), 2 * number);
        }
        ask(100 + number).await;
        let end = look.ends(topic);
        eventually(LONG, || lowest_unfinished(&log.read(), &begin, &end) == end).await;
        eventually(LONG, || look.is_done(topic)).await;
    }
    let handled: HashSet<_> = ended(&log.read());
    assert_eq!(handled.len(), 200 * nodes.len());
    assert_eq!(worker.metrics().get(Count::Failed), 0);
    check_order(&log.read());
    pipeline.close().await.unwrap();
    doubler.shutdown().await.unwrap();
    worker.shutdown().await.unwrap();
    assert!(look.is_done(topic));
}
