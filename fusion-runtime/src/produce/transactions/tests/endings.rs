//! How a producer ends, and what it tells whoever waits.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::slot::Slot;
use super::world::{Fault, error};
use super::*;
use crate::broker::Config;

fn fenced() -> Fault {
    Fault::Commit { happens: false, error: error(Code::Fenced, "fatal") }
}

#[tokio::test]
async fn a_refusal_ends_it_and_is_told_to_all() {
    let world = World::new();
    world.fail([Fault::Init(error(Code::TransactionalIdAuthorizationFailed, "fatal"))]);
    let transactions = world.start();
    let error = transactions.ready().await.unwrap_err();
    assert!(matches!(error, TransactionError::Fatal { .. }), "{error}");
    assert_eq!(transactions.failed().await, error);
    assert_eq!(transactions.submit(batch(0, 1, 1, "v")).await, Err(error));
    transactions.close(soon()).await;
}

#[test]
fn a_refusal_in_between_fails_what_is_at_hand_and_what_waits() {
    let world = World::new();
    let transactions = world.start();
    world.fail([Fault::Offsets(error(Code::GroupAuthorizationFailed, "abortable"))]);
    let pending = [transactions.submit(batch(0, 1, 1, "a")), transactions.submit(batch(1, 1, 1, "b"))];
    for pending in pending {
        let error = pending.wait().unwrap_err();
        assert!(matches!(error, TransactionError::Fatal { .. }), "{error}");
    }
    assert_eq!(world.records(), Vec::<String>::new());
}

#[test]
fn whoever_is_fenced_again_and_again_goes_on_under_another_id() {
    let world = World::new();
    let transactions = world.start();
    world.fail([fenced(), fenced()]);
    assert_eq!(transactions.submit(batch(0, 1, 1, "a")).wait(), Ok(Outcome::Committed));
    assert_eq!(world.ids().len(), 1, "time-outs look the same");
    world.fail([fenced()]);
    assert_eq!(transactions.submit(batch(0, 1, 2, "b")).wait(), Ok(Outcome::Committed));
    assert_eq!(world.ids().len(), 2);
    assert_eq!(world.records(), ["a", "b"]);
}

#[test]
fn a_slot_that_was_chosen_twice_is_an_error() {
    let world = World::new();
    let config = Config::new("nowhere:9092").slot("0");
    let transactions = world.start_as(Slot::find(&config, "group"), |_| ());
    world.fail([fenced(), fenced(), fenced()]);
    let told = transactions.submit(batch(0, 1, 1, "a")).wait();
    assert_eq!(told, Err(TransactionError::Fenced { id: "group.0".into() }));
}

#[tokio::test]
async fn closing_commits_what_waits() {
    let world = World::new();
    let transactions = world.start();
    let pending = [transactions.submit(batch(0, 1, 1, "a")), transactions.submit(batch(1, 1, 1, "b"))];
    transactions.close(soon()).await;
    for pending in pending {
        assert_eq!(pending.await, Ok(Outcome::Committed));
    }
    assert_eq!(transactions.submit(batch(0, 1, 2, "c")).await, Err(TransactionError::Closed));
    assert_eq!(world.records(), ["a", "b"]);
}

#[tokio::test]
async fn what_is_not_known_at_the_end_is_told_so() {
    let world = World::new();
    let transactions = world.start();
    transactions.ready().await.unwrap();
    // It never gets through.
    world.fail((0..100_000).map(|_| Fault::Offsets(error(Code::CoordinatorNotAvailable, "abortable"))));
    let pending = transactions.submit(batch(0, 1, 1, "a"));
    while transactions.metrics().get(Count::TransactionsAborted) == 0 {
        tokio::task::yield_now().await;
    }
    transactions.close(Instant::now()).await;
    assert_eq!(pending.await, Err(TransactionError::Closed));
}

#[test]
fn the_last_handle_closes() {
    let world = World::new();
    let transactions = world.start();
    let pending = transactions.submit(batch(0, 1, 1, "a"));
    drop(transactions);
    assert_eq!(pending.wait(), Ok(Outcome::Committed));
}
