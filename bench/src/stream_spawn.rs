//! What most people write: `StreamConsumer::recv`, `detach`, and a task for each message.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::OwnedMessage;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::Result;
use crate::load::{Asked, COMMIT_EVERY, Load, Order, PATIENCE, member};
use crate::report::{Clock, Measure};

/// Tasks at once; without a bound a slow handler would take all memory.
const TASKS: usize = 1000;

/// Reads the whole load. Commits what was received, as librdkafka does by itself: what is not finished is lost
/// in a crash, so this side is given less to do than the others.
pub(crate) fn stream_spawn(load: &Arc<Load>) -> Result<Measure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Around everything: a timer for each message would be a cost of this side only.
    let patience = PATIENCE + Duration::from_micros(100) * load.messages as u32;
    // As a task: spawns from `block_on`'s own thread would all go through the shared queue.
    let load = load.clone();
    let consumed = runtime.spawn(async move { timeout(patience, consume(&load)).await });
    runtime.block_on(consumed)?.map_err(|_| format!("not done after {patience:?}"))?
}

async fn consume(load: &Load) -> Result<Measure> {
    let consumer: StreamConsumer = member(&load.topic.brokers)
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", COMMIT_EVERY.as_millis().to_string())
        .create()?;
    consumer.subscribe(&[&load.topic.name])?;
    let tasks = Arc::new(Semaphore::new(TASKS));
    let mut clock = None;
    for _ in 0..load.messages {
        let message = consumer.recv().await?.detach();
        clock.get_or_insert_with(Clock::start);
        let permit = tasks.clone().acquire_owned().await?;
        tokio::spawn(async move {
            if let Err(error) = handle(&message) {
                eprintln!("partition {}, offset {}: {error}", message.partition(), message.offset());
                // Ends the run: whoever acquires next fails.
                permit.semaphore().close();
            }
            drop(permit);
        });
    }
    let _all = tasks.acquire_many(TASKS as u32).await?;
    let measure = clock.map(|clock| clock.stop(load.messages)).ok_or("an empty load")?;
    consumer.commit_consumer_state(CommitMode::Sync)?;
    load.expect_committed(&consumer)?;
    Ok(measure)
}

fn handle(message: &OwnedMessage) -> Result<()> {
    std::hint::black_box(Asked::of(message.headers()));
    let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
    std::hint::black_box(order);
    Ok(())
}
