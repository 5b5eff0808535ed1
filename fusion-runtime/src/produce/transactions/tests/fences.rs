//! What is lost is not committed, and what is held is known.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::world::{Fault, error};
use super::*;

#[test]
fn what_is_fenced_while_it_waits_is_lost() {
    let world = World::new();
    let mut pending = Vec::new();
    let _transactions = world.start_after(|transactions| {
        pending.push(transactions.submit(batch(0, 1, 1, "old")));
        pending.push(transactions.submit(batch(1, 1, 1, "other")));
        transactions.fence(TOPIC, 0, 1);
        pending.push(transactions.submit(batch(0, 1, 2, "older")));
        pending.push(transactions.submit(batch(0, 2, 1, "new")));
    });
    let outcomes: Vec<_> = pending.into_iter().map(Pending::wait).collect();
    let (lost, committed) = (Ok(Outcome::Lost), Ok(Outcome::Committed));
    assert_eq!(outcomes, [lost.clone(), committed.clone(), lost, committed]);
    assert_eq!(world.records(), ["other", "new"]);
}

/// A zombie: its group has moved on without it, and it does not know yet.
#[test]
fn a_member_of_an_old_generation_commits_nothing() {
    let world = World::new();
    let transactions = world.start();
    world.regroup(2);
    let mut zombie = transactions.submit(under(1, 0, 1, 5, "zombie"));
    // Until it is told, it tries.
    while transactions.metrics().get(Count::TransactionsAborted) < 3 {
        assert_eq!(zombie.try_outcome(), None);
        std::thread::yield_now();
    }
    assert!(transactions.holds([(TOPIC, 0)]));
    transactions.fence(TOPIC, 0, 1);
    assert_eq!(zombie.wait(), Ok(Outcome::Lost));
    assert_eq!((world.records(), world.offset(TOPIC, 0)), (Vec::<String>::new(), None));
}

/// The group has moved on with us: what is still ours goes under the new generation, the rest is dropped.
#[test]
fn what_is_still_ours_is_sent_again_under_the_new_generation() {
    let world = World::new();
    world.regroup(2);
    let mut pending = Vec::new();
    let transactions = world.start_after(|transactions| {
        pending.push(transactions.submit(under(1, 0, 1, 5, "lost")));
        pending.push(transactions.submit(under(1, 1, 1, 6, "kept")));
    });
    transactions.fence(TOPIC, 0, 1);
    transactions.regroup(GroupMetadata::named("group", 2, "member").unwrap());
    let outcomes: Vec<_> = pending.into_iter().map(Pending::wait).collect();
    assert_eq!(outcomes, [Ok(Outcome::Lost), Ok(Outcome::Committed)]);
    assert_eq!(world.records(), ["kept"]);
    assert!(transactions.metrics().get(Count::BatchesLost) <= 1);
}

/// A batch that names two partitions is won or lost as one.
#[test]
fn a_batch_is_not_torn() {
    let world = World::new();
    let transactions = world.start();
    let mut both = batch(0, 1, 1, "both");
    both.commit(TOPIC, 1, 4, CommitMetadata::new(9));
    transactions.fence(TOPIC, 1, 3);
    assert_eq!(transactions.submit(both.clone()).wait(), Ok(Outcome::Committed));
    transactions.fence(TOPIC, 1, 4);
    assert_eq!(transactions.submit(both).wait(), Ok(Outcome::Lost));
    assert_eq!(world.records(), ["both"]);
}

#[test]
fn what_waits_or_is_being_committed_is_held() {
    let world = World::new();
    let transactions = world.start();
    assert!(!transactions.holds([(TOPIC, 0)]));
    let held = world.hold();
    let pending = transactions.submit(batch(0, 1, 1, "v"));
    assert!(transactions.holds([(TOPIC, 0)]) && !transactions.holds([(TOPIC, 1), ("other", 0)]));
    drop(held);
    assert_eq!(pending.wait(), Ok(Outcome::Committed));
    while transactions.holds([(TOPIC, 0)]) {
        std::thread::yield_now();
    }
}

/// What is fenced while its outcome is open: if it was committed, it was, and is told so.
#[test]
fn what_was_committed_is_not_told_as_lost() {
    let world = World::new();
    let transactions = world.start();
    let timed_out = error(Code::OperationTimedOut, "fatal");
    world.fail([Fault::Commit { happens: true, error: timed_out }]);
    assert_eq!(transactions.submit(batch(0, 1, 1, "v")).wait(), Ok(Outcome::Committed));
    transactions.fence(TOPIC, 0, 1);
    assert_eq!(world.records(), ["v"]);
}
