//! What the broker says to the question for committed offsets.

use rdkafka::error::RDKafkaErrorCode as Code;

use crate::broker::ffi::Committed;

/// What to do with what [`committed`](crate::broker::ffi::committed) returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it is known.
    Known(Vec<Committed>),
    /// Ask again, after a pause and with more time: a coordinator is looked for, or a transaction with one of the offsets
    /// has not ended. That one ends after `transaction.timeout.ms` at the latest, so be more patient than that.
    NotYet(Code),
    /// Asking again will not help.
    Refused(Code),
}

impl From<Result<Vec<Committed>, Code>> for Answer {
    /// librdkafka hides the errors of single partitions inside `Ok`, and gives the offset -1 beside them: taken for "nothing
    /// committed", a partition would begin again.
    fn from(said: Result<Vec<Committed>, Code>) -> Answer {
        let code = match &said {
            Err(code) => Some(*code),
            Ok(all) => {
                let errors = || all.iter().filter_map(|committed| committed.error);
                errors().find(|code| !is_passing(*code)).or_else(|| errors().next())
            }
        };
        match (code, said) {
            (Some(code), _) if is_passing(code) => Answer::NotYet(code),
            (Some(code), _) => Answer::Refused(code),
            (None, said) => Answer::Known(said.unwrap_or_default()),
        }
    }
}

/// Whether asking again may help.
fn is_passing(code: Code) -> bool {
    !matches!(
        code,
        Code::GroupAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::Fatal
            | Code::SaslAuthenticationFailed
            | Code::InvalidGroupId
            | Code::InvalidTopic
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(error: Option<Code>) -> Committed {
        Committed { topic: "orders".into(), partition: 0, offset: None, metadata: Vec::new(), error }
    }

    #[test]
    fn an_error_inside_is_not_taken_for_no_commit() {
        let all = vec![known(None), known(None)];
        assert_eq!(Answer::from(Ok(all.clone())), Answer::Known(all));
        for (errors, answer) in [
            ([None, Some(Code::UnstableOffsetCommit)], Answer::NotYet(Code::UnstableOffsetCommit)),
            (
                [Some(Code::UnstableOffsetCommit), Some(Code::TopicAuthorizationFailed)],
                Answer::Refused(Code::TopicAuthorizationFailed),
            ),
        ] {
            assert_eq!(Answer::from(Ok(errors.map(known).to_vec())), answer);
        }
        assert_eq!(Answer::from(Err(Code::OperationTimedOut)), Answer::NotYet(Code::OperationTimedOut));
        assert_eq!(
            Answer::from(Err(Code::GroupAuthorizationFailed)),
            Answer::Refused(Code::GroupAuthorizationFailed)
        );
    }
}
