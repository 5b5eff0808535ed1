//! The owner against a log in memory that fails when told to.

mod embedded;
mod endings;
mod faults;
mod fences;
mod world;

use std::time::{Duration, Instant};

use super::*;
use crate::observe::Count;
use crate::produce::Outgoing;
use world::World;

const TOPIC: &str = "orders";

/// A batch of one record, `value`, that moves `partition` to `offset`.
fn batch(partition: i32, epoch: Epoch, offset: i64, value: &str) -> Batch {
    under(1, partition, epoch, offset, value)
}

fn under(generation: i32, partition: i32, epoch: Epoch, offset: i64, value: &str) -> Batch {
    let mut batch = Batch::new(GroupMetadata::named("group", generation, "member").unwrap());
    batch.push(&Outgoing { value: Some(value.as_bytes()), ..Outgoing::to("results") });
    batch.commit(TOPIC, partition, epoch, CommitMetadata::new(offset));
    batch
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn what_waits_is_one_transaction() {
    let world = World::new();
    let mut pending = Vec::new();
    let _transactions = world.start_after(|transactions| {
        for offset in 1..=5 {
            pending.push(transactions.submit(batch(offset as i32 % 2, 1, offset, &format!("v{offset}"))));
        }
    });
    for pending in pending {
        assert_eq!(pending.wait(), Ok(Outcome::Committed));
    }
    assert_eq!(world.records(), ["v1", "v2", "v3", "v4", "v5"]);
    assert_eq!((world.offset(TOPIC, 0), world.offset(TOPIC, 1)), (Some(4), Some(5)));
    assert_eq!(world.commits(), 1);
}

#[test]
fn a_record_is_handed_on_as_it_was() {
    let mut batch = Batch::new(GroupMetadata::named("group", 1, "member").unwrap());
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"a", Some(b"1")), (b"a", None), (b"\xff", Some(b""))];
    let records = [
        Outgoing { key: Some(b"k"), value: Some(b"v"), headers, ..Outgoing::to("one") },
        Outgoing { partition: Some(3), timestamp: Some(7), ..Outgoing::to("two") },
        Outgoing { key: Some(b""), value: Some(b""), ..Outgoing::to("one") },
    ];
    records.iter().for_each(|record| batch.push(record));
    assert_eq!((batch.len(), batch.bytes()), (3, 6));
    let mut seen = Vec::new();
    let each = batch.try_each(|record| {
        seen.push(format!("{record:?}"));
        Ok::<(), ()>(())
    });
    each.unwrap();
    assert_eq!(seen, records.map(|record| format!("{record:?}")));
}

#[test]
fn what_cannot_be_committed_is_refused_at_once() {
    let world = World::new();
    let transactions = world.start();
    let group = GroupMetadata::named("group", 1, "member").unwrap();
    assert_eq!(transactions.submit(Batch::new(group.clone())).wait(), Err(TransactionError::NoOffsets));

    let mut large = batch(0, 1, 1, "fits");
    large.push(&Outgoing { value: Some(&vec![0; 2 << 20]), ..Outgoing::to("results") });
    let error = transactions.submit(large).wait().unwrap_err();
    assert!(matches!(error, TransactionError::Record(_)), "{error}");

    let mut long = Batch::new(group);
    let mut metadata = CommitMetadata::new(9);
    metadata.set_bytes("raw", vec![7; MOST_BYTES]);
    long.commit(TOPIC, 1, 1, metadata);
    let error = transactions.submit(long).wait().unwrap_err();
    assert!(matches!(error, TransactionError::MetadataTooLarge { partition: 1, .. }), "{error}");

    // What comes after would skip it, in this epoch.
    for partition in [0, 1] {
        let after = transactions.submit(batch(partition, 1, 10, "after")).wait();
        assert_eq!(after, Err(TransactionError::Predecessor { topic: TOPIC.into(), partition }));
    }
    assert_eq!(transactions.submit(batch(0, 2, 1, "again")).wait(), Ok(Outcome::Committed));
    assert_eq!(world.records(), ["again"]);
}

#[test]
fn every_commit_has_a_text_of_its_own() {
    let world = World::new();
    let transactions = world.start();
    let mut texts = std::collections::BTreeSet::new();
    for _ in 0..3 {
        transactions.submit(batch(0, 1, 7, "same")).wait().unwrap();
        let text = world.text(TOPIC, 0);
        assert!(CommitMetadata::accept(text.as_bytes(), 7, 7).is_ok());
        texts.insert(text);
    }
    assert_eq!(texts.len(), 3);
}

#[test]
fn time_may_move_without_records() {
    let world = World::new();
    let transactions = world.start();
    let mut only = Batch::new(GroupMetadata::named("group", 1, "member").unwrap());
    only.commit(TOPIC, 0, 1, CommitMetadata::new(3));
    assert_eq!(transactions.submit(only).wait(), Ok(Outcome::Committed));
    assert_eq!((world.offset(TOPIC, 0), world.commits()), (Some(3), 1));
    assert_eq!(transactions.metrics().get(Count::TransactionsCommitted), 1);
}
