//! Whatever fails, each batch counts once.

use proptest::prelude::*;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::world::{Fault, error};
use super::*;

fn commit(happens: bool, code: Code, flags: &str) -> Fault {
    Fault::Commit { happens, error: error(code, flags) }
}

#[test]
fn an_abort_repeats_the_same_batch() {
    let world = World::new();
    let transactions = world.start();
    world.fail([
        Fault::Offsets(error(Code::CoordinatorNotAvailable, "abortable")),
        Fault::Deliver("v".into(), Code::NotEnoughReplicas),
        commit(false, Code::Inconsistent, "abortable"),
    ]);
    assert_eq!(transactions.submit(batch(0, 1, 1, "v")).wait(), Ok(Outcome::Committed));
    assert_eq!((world.records(), world.commits()), (vec!["v".to_owned()], 1));
    let metrics = transactions.metrics();
    assert_eq!((metrics.get(Count::TransactionsAborted), metrics.get(Count::TransactionsInDoubt)), (3, 0));
}

#[test]
fn an_open_outcome_ends_with_one_copy() {
    for happens in [true, false] {
        for (code, flags) in [
            (Code::OperationTimedOut, "abortable"),
            (Code::InvalidTransactionalState, "fatal"),
            (Code::Fenced, "fatal"),
            (Code::Fail, ""),
        ] {
            let world = World::new();
            let transactions = world.start();
            transactions.submit(batch(0, 1, 1, "before")).wait().unwrap();
            world.fail([
                commit(happens, code, flags),
                Fault::Renew,
                Fault::Committed(Code::OperationTimedOut),
            ]);
            assert_eq!(transactions.submit(batch(0, 1, 2, "v")).wait(), Ok(Outcome::Committed));
            assert_eq!(world.records(), ["before", "v"], "{happens} {code:?}");
            assert_eq!(world.offset(TOPIC, 0), Some(2));
            assert_eq!(transactions.metrics().get(Count::TransactionsInDoubt), 1);
            assert_eq!(world.faults_left(), 0);
        }
    }
}

/// The offset alone could not tell: it is the same before and after.
#[test]
fn an_open_outcome_of_an_offset_that_did_not_move() {
    for happens in [true, false] {
        let world = World::new();
        let transactions = world.start();
        transactions.submit(batch(0, 1, 7, "before")).wait().unwrap();
        world.fail([commit(happens, Code::OperationTimedOut, "fatal")]);
        transactions.submit(batch(0, 1, 7, "tick")).wait().unwrap();
        assert_eq!(world.records(), ["before", "tick"]);
    }
}

/// A record that ran out of time may arrive after the abort, and would be part of the next transaction of the same producer.
#[test]
fn a_late_record_does_not_reach_the_next_transaction() {
    let world = World::new();
    let transactions = world.start();
    world.fail([
        Fault::Deliver("v".into(), Code::MessageTimedOut),
        Fault::Offsets(error(Code::IllegalGeneration, "abortable")),
    ]);
    assert_eq!(transactions.submit(batch(0, 1, 1, "v")).wait(), Ok(Outcome::Committed));
    assert_eq!(world.records(), ["v"]);
    assert_eq!(transactions.metrics().get(Count::TransactionsAborted), 1);
}

/// Or a broker that is too slow for so much in one transaction would never take any of it.
#[test]
fn what_is_too_much_for_one_transaction_goes_in_several() {
    let world = World::new();
    world.fail([Fault::Deliver("v1".into(), Code::MessageTimedOut)]);
    let mut pending = Vec::new();
    let _transactions = world.start_after(|transactions| {
        pending.extend((0..4).map(|n| transactions.submit(batch(0, 1, n, &format!("v{n}")))));
    });
    for pending in pending {
        assert_eq!(pending.wait(), Ok(Outcome::Committed));
    }
    assert_eq!(world.records(), ["v0", "v1", "v2", "v3"]);
    assert_eq!(world.commits(), 2, "the four were two and two");
}

#[test]
fn what_cannot_be_divided_gets_more_time_and_only_that() {
    let world = World::new();
    let transactions = world.start();
    world.fail([(); 4].map(|()| Fault::Deliver("much".into(), Code::MessageTimedOut)));
    assert_eq!(transactions.submit(batch(0, 1, 1, "much")).wait(), Ok(Outcome::Committed));
    assert_eq!(transactions.submit(batch(0, 1, 2, "more")).wait(), Ok(Outcome::Committed));
    assert_eq!(world.records(), ["much", "more"]);
    assert_eq!(world.times(), [20, 40, 60, 60, 10]);
}

#[test]
fn a_call_that_may_be_repeated_goes_on_where_it_was() {
    let world = World::new();
    let transactions = world.start();
    world.fail([
        Fault::Offsets(error(Code::BrokerTransportFailure, "retriable")),
        commit(true, Code::OperationTimedOut, "retriable"),
    ]);
    assert_eq!(transactions.submit(batch(0, 1, 1, "v")).wait(), Ok(Outcome::Committed));
    assert_eq!((world.records(), world.commits()), (vec!["v".to_owned()], 1));
    let metrics = transactions.metrics();
    assert_eq!((metrics.get(Count::TransactionsAborted), metrics.get(Count::TransactionsInDoubt)), (0, 0));
}

#[test]
fn a_record_that_can_never_be_written_refuses_its_batch_only() {
    for deliver in [true, false] {
        let world = World::new();
        let fault = if deliver { Fault::Deliver } else { Fault::Produce };
        world.fail([fault("bad".into(), Code::MessageSizeTooLarge)]);
        let mut pending = Vec::new();
        let _transactions = world.start_after(|transactions| {
            let bad = [
                batch(0, 1, 1, "good"),
                batch(1, 1, 1, "bad"),
                batch(1, 1, 2, "skips"),
                batch(2, 1, 1, "fine"),
            ];
            pending.extend(bad.map(|batch| transactions.submit(batch)));
        });
        let outcomes: Vec<_> = pending.into_iter().map(Pending::wait).collect();
        assert_eq!(outcomes[0], Ok(Outcome::Committed));
        assert!(matches!(outcomes[1], Err(TransactionError::Record(_))), "{outcomes:?}");
        let skipped = TransactionError::Predecessor { topic: TOPIC.into(), partition: 1 };
        assert_eq!(outcomes[2], Err(skipped));
        assert_eq!(outcomes[3], Ok(Outcome::Committed));
        assert_eq!(world.records(), ["good", "fine"]);
        assert_eq!(world.offset(TOPIC, 1), None);
    }
}

#[test]
fn a_broker_that_takes_less_metadata_halves_the_limit() {
    let world = World::new();
    world.fail([Fault::Offsets(error(Code::OffsetMetadataTooLarge, "abortable"))]);
    let mut long = Batch::new(GroupMetadata::named("group", 1, "member").unwrap());
    let mut metadata = CommitMetadata::new(2);
    metadata.set_text("raw", "x".repeat(2000));
    long.commit(TOPIC, 1, 1, metadata);
    let mut pending = Vec::new();
    let transactions = world.start_after(|transactions| {
        pending.push(transactions.submit(batch(0, 1, 1, "short")));
        pending.push(transactions.submit(long.clone()));
    });
    let outcomes: Vec<_> = pending.into_iter().map(Pending::wait).collect();
    assert_eq!(outcomes[0], Ok(Outcome::Committed));
    let limit = MOST_BYTES / 2;
    assert!(
        matches!(outcomes[1], Err(TransactionError::MetadataTooLarge { limit: told, .. }) if told == limit),
        "{outcomes:?}"
    );
    assert_eq!(transactions.metadata_limit(), limit);
}

/// An error of any kind at any call, as often as it likes.
fn any_fault() -> impl Strategy<Value = Fault> {
    let code = prop_oneof![
        Just(Code::OperationTimedOut),
        Just(Code::BrokerTransportFailure),
        Just(Code::Inconsistent),
        Just(Code::InvalidTransactionalState),
        Just(Code::CoordinatorLoadInProgress),
        Just(Code::IllegalGeneration),
    ];
    let flags = prop_oneof![Just("fatal"), Just("abortable"), Just("retriable"), Just("")];
    let call = (code, flags).prop_map(|(code, flags)| error(code, flags));
    let value = (0..6_u8).prop_map(|number| format!("v{number}"));
    prop_oneof![
        call.clone().prop_map(Fault::Init),
        call.clone().prop_map(Fault::Begin),
        call.clone().prop_map(Fault::Offsets),
        call.clone().prop_map(Fault::Abort),
        (value.clone(), Just(Code::NotEnoughReplicas)).prop_map(|(value, code)| Fault::Deliver(value, code)),
        (value, Just(Code::MessageTimedOut)).prop_map(|(value, code)| Fault::Deliver(value, code)),
        Just(Fault::Renew),
        Just(Fault::Committed(Code::OperationTimedOut)),
        // Failed deliveries are found before the commit, so it cannot have happened.
        (any::<bool>(), call).prop_map(|(happens, error)| {
            let happens = happens && error.code != Code::Inconsistent;
            Fault::Commit { happens, error }
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_fails_each_batch_counts_once_and_in_order(
        faults in proptest::collection::vec(any_fault(), 0..12),
        partitions in proptest::collection::vec(0..3_i32, 1..6),
    ) {
        let world = World::new();
        world.fail(faults);
        let mut pending = Vec::new();
        let _transactions = world.start_after(|transactions| {
            for (number, &partition) in partitions.iter().enumerate() {
                let batch = batch(partition, 1, number as i64, &format!("v{number}"));
                pending.push(transactions.submit(batch));
            }
        });
        for pending in pending {
            prop_assert_eq!(pending.wait(), Ok(Outcome::Committed));
        }
        let expected: Vec<_> = (0..partitions.len()).map(|number| format!("v{number}")).collect();
        prop_assert_eq!(world.records(), expected);
        for partition in 0..3 {
            let last = partitions.iter().rposition(|&other| other == partition);
            prop_assert_eq!(world.offset(TOPIC, partition), last.map(|last| last as i64));
        }
    }
}
