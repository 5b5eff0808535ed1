//! What follows from an error: the one place where that is decided.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::ProduceError;
use crate::broker::ffi::transactions::CallError;

/// A call of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Init,
    Begin,
    Offsets,
    Commit,
    Abort,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same call again, on the same producer.
    Repeat,
    /// Nothing of the transaction will ever count. Abort it, and send what is still ours again.
    Abort,
    /// Nobody knows, or a request may still arrive late. This producer is over: a new one with the same id ends whatever
    /// is open, and the committed offsets tell what happened.
    Doubt,
    /// As doubt; and somebody else may have taken our id.
    Fenced,
    /// Nothing we could do would help.
    Stop,
}

/// Decides what follows from the error of a call.
///
/// librdkafka says of each error whether it is retriable, abortable or fatal, which is about what *its* state allows next.
/// What the broker knows is another matter, because librdkafka 2.12 has no KIP-890 (#5423): a request whose answer got
/// lost may take effect later, even in the producer's next transaction. Hence:
///
/// - *retriable*: the call goes on where it was. Whoever calls stops that at the transaction's time-out, in doubt.
/// - *abortable* before the commit was sent: nothing can have happened, unless the answer to an offset commit is what got
///   lost. Then it may arrive in the next transaction of this epoch, so there must be none.
/// - *abortable* at the commit: only failed deliveries are found before it is sent. Everything else is doubt.
/// - *fatal* by fencing: a producer with our id is newer, or the coordinator gave the transaction up at its time-out and
///   raised the epoch. The former is answered by whoever counts how often it happens. A commit may have been through.
/// - *fatal* otherwise: this producer is over, the next one need not be.
/// - Refusals that are about rights or features would be repeated for ever: they end the producer.
pub(super) fn decide(step: Step, error: &CallError) -> Verdict {
    if is_refusal(error.code) {
        return Verdict::Stop;
    }
    if is_fenced(error.code) {
        return Verdict::Fenced;
    }
    if error.fatal {
        return Verdict::Doubt;
    }
    if error.retriable && step != Step::Begin {
        return Verdict::Repeat;
    }
    match step {
        // "messages failed delivery": found before anything is sent.
        Step::Commit if error.abortable && error.code == Code::Inconsistent => Verdict::Abort,
        Step::Offsets if error.abortable && !is_lost_answer(error.code) => Verdict::Abort,
        Step::Init | Step::Begin | Step::Offsets | Step::Commit | Step::Abort => Verdict::Doubt,
    }
}

/// What follows from a record that was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It may work the next time.
    Again(Verdict),
    /// It would fail every time: its batch is refused, the others are sent again.
    Refuse,
}

/// Decides what follows from a failed delivery. A time-out leaves a request on its way, which must not arrive in the next
/// transaction.
pub(super) fn decide_delivery(code: Code) -> Delivery {
    match code {
        code if is_fenced(code) => Delivery::Again(Verdict::Fenced),
        Code::Fatal | Code::MessageTimedOut => Delivery::Again(Verdict::Doubt),
        code if is_lost_answer(code) => Delivery::Again(Verdict::Doubt),
        Code::PurgeQueue | Code::PurgeInflight => Delivery::Again(Verdict::Abort),
        // librdkafka has waited `topic.metadata.propagation.max.ms` for it.
        Code::UnknownTopic | Code::UnknownPartition => Delivery::Refuse,
        code if ProduceError::of(code, "").is_retryable() => Delivery::Again(Verdict::Abort),
        _ => Delivery::Refuse,
    }
}

/// Whether a member of the group was told that the group has moved on. With a newer generation, or less to commit, the
/// same batch may go through.
pub(super) fn is_about_membership(code: Code) -> bool {
    matches!(
        code,
        Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::RebalanceInProgress
            | Code::StaleMemberEpoch
            | Code::FencedMemberEpoch
    )
}

fn is_fenced(code: Code) -> bool {
    matches!(code, Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
}

fn is_lost_answer(code: Code) -> bool {
    matches!(
        code,
        Code::OperationTimedOut
            | Code::BrokerTransportFailure
            | Code::RequestTimedOut
            | Code::TimedOutQueue
            | Code::NetworkException
            | Code::AllBrokersDown
    )
}

fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::TransactionalIdAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::UnsupportedFeature
            | Code::UnsupportedVersion
            | Code::UnsupportedForMessageFormat
            | Code::InvalidTransactionTimeout
            | Code::NotConfigured
            | Code::InvalidGroupId
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Code, flags: &str) -> CallError {
        let is = |flag| flags == flag;
        CallError {
            code,
            text: "said".into(),
            fatal: is("fatal"),
            abortable: is("abortable"),
            retriable: is("retriable"),
        }
    }

    #[test]
    fn each_error_has_one_answer() {
        use Verdict::*;
        for (step, code, flags, verdict) in [
            (Step::Init, Code::OperationTimedOut, "retriable", Repeat),
            (Step::Init, Code::TransactionalIdAuthorizationFailed, "fatal", Stop),
            (Step::Init, Code::InvalidTransactionTimeout, "fatal", Stop),
            (Step::Init, Code::Fenced, "fatal", Fenced),
            // Only a producer in the wrong state says so.
            (Step::Begin, Code::State, "retriable", Doubt),
            (Step::Begin, Code::State, "", Doubt),
            // The coordinator is looked for.
            (Step::Offsets, Code::BrokerTransportFailure, "retriable", Repeat),
            // The group has moved on.
            (Step::Offsets, Code::IllegalGeneration, "abortable", Abort),
            (Step::Offsets, Code::UnknownMemberId, "abortable", Abort),
            (Step::Offsets, Code::OffsetMetadataTooLarge, "abortable", Abort),
            // A late answer could change the next transaction.
            (Step::Offsets, Code::OperationTimedOut, "abortable", Doubt),
            (Step::Offsets, Code::RequestTimedOut, "abortable", Doubt),
            (Step::Offsets, Code::GroupAuthorizationFailed, "abortable", Stop),
            (Step::Offsets, Code::InvalidProducerIdMapping, "fatal", Doubt),
            (Step::Offsets, Code::InvalidProducerEpoch, "fatal", Fenced),
            (Step::Commit, Code::OperationTimedOut, "retriable", Repeat),
            (Step::Commit, Code::Inconsistent, "abortable", Abort),
            // It may have been sent.
            (Step::Commit, Code::OperationTimedOut, "abortable", Doubt),
            (Step::Commit, Code::UnknownProducerId, "abortable", Doubt),
            (Step::Commit, Code::InvalidTransactionalState, "fatal", Doubt),
            // The commit succeeded at the broker although librdkafka had given up.
            (Step::Commit, Code::OperationTimedOut, "fatal", Doubt),
            (Step::Commit, Code::Fenced, "fatal", Fenced),
            (Step::Abort, Code::OperationTimedOut, "retriable", Repeat),
            (Step::Abort, Code::UnknownProducerId, "abortable", Doubt),
            (Step::Abort, Code::Fenced, "fatal", Fenced),
        ] {
            assert_eq!(decide(step, &error(code, flags)), verdict, "{step:?} {code:?} {flags}");
        }
    }

    #[test]
    fn a_record_that_fails_for_ever_refuses_its_batch() {
        use Delivery::*;
        for (code, delivery) in [
            (Code::MessageSizeTooLarge, Refuse),
            (Code::TopicAuthorizationFailed, Refuse),
            (Code::UnknownTopic, Refuse),
            (Code::MessageTimedOut, Again(Verdict::Doubt)),
            (Code::BrokerTransportFailure, Again(Verdict::Doubt)),
            (Code::Fatal, Again(Verdict::Doubt)),
            (Code::ProducerFenced, Again(Verdict::Fenced)),
            (Code::PurgeQueue, Again(Verdict::Abort)),
            (Code::NotEnoughReplicas, Again(Verdict::Abort)),
            (Code::OutOfOrderSequenceNumber, Again(Verdict::Abort)),
        ] {
            assert_eq!(decide_delivery(code), delivery, "{code:?}");
        }
    }
}
