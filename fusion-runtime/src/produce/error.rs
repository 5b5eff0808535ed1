//! Why a record was not delivered.

use rdkafka::error::RDKafkaErrorCode as Code;

/// What the broker would say again.
const REFUSED: [i32; 5] = [
    Code::MessageSizeTooLarge as i32,
    Code::InvalidTopic as i32,
    Code::InvalidRecord as i32,
    Code::TopicAuthorizationFailed as i32,
    Code::ClusterAuthorizationFailed as i32,
];

/// Why a record was not delivered, or is not known to be.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProduceError {
    /// It is larger than the broker would take; nothing was queued.
    #[error(
        "the {part} of a record for topic `{topic}` has {size} bytes, more than the {limit} that are allowed: \
         send less, or raise `Config::{setting}` together with the topic's `max.message.bytes`"
    )]
    TooLarge {
        /// Where it was to go.
        topic: String,
        /// What is too large: `value`, `headers` or `key`.
        part: &'static str,
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
        /// The setting that raises the limit.
        setting: &'static str,
    },
    /// As much waits to be sent as memory is set aside for; nothing was queued.
    #[error(
        "no room to queue a record for topic `{topic}`: the broker takes records more slowly than they are sent; \
         wait with `send_when_ready`, or raise `Config::send_buffer`"
    )]
    QueueFull {
        /// Where it was to go.
        topic: String,
    },
    /// The topic, or the partition asked for, does not exist.
    #[error("topic `{topic}` or the partition asked for does not exist: create it, or check the name")]
    UnknownTopic {
        /// Where it was to go.
        topic: String,
    },
    /// The broker, or librdkafka on its behalf, refused or gave up.
    #[error("topic `{topic}` did not take a record: {text}")]
    Broker {
        /// Where it was to go.
        topic: String,
        /// Kafka's error code; negative ones are librdkafka's own.
        code: i32,
        /// librdkafka's words.
        text: String,
    },
    /// The producer was closed before this record left; it was not written.
    #[error("the producer was closed before a record for topic `{topic}` was sent")]
    Closed {
        /// Where it was to go.
        topic: String,
    },
    /// The producer was closed after this record left and before the broker confirmed it: it may be written.
    #[error(
        "the producer was closed before the broker confirmed a record for topic `{topic}`; it may be written"
    )]
    Unconfirmed {
        /// Where it was to go.
        topic: String,
    },
}

impl ProduceError {
    /// What librdkafka says, in our terms.
    pub(super) fn of(code: Code, topic: &str) -> ProduceError {
        let topic = topic.to_owned();
        match code {
            Code::QueueFull => ProduceError::QueueFull { topic },
            Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition => {
                ProduceError::UnknownTopic { topic }
            }
            Code::PurgeQueue => ProduceError::Closed { topic },
            Code::PurgeInflight => ProduceError::Unconfirmed { topic },
            Code::MessageSizeTooLarge => ProduceError::Broker {
                topic,
                code: code as i32,
                text: "it is larger than the topic's `max.message.bytes`, and smaller than `Config::largest_value` allows: \
                       raise the former, or lower the latter"
                    .to_owned(),
            },
            _ => ProduceError::Broker { topic, code: code as i32, text: code.to_string() },
        }
    }

    /// The client that held the record failed as a whole, and another one goes on in its place.
    pub(super) fn replaced(code: Code, topic: &str) -> ProduceError {
        let text = match code {
            Code::PurgeInflight => "the client failed before the broker confirmed it; it may be written",
            _ => "the client failed before it was sent",
        };
        ProduceError::Broker { topic: topic.to_owned(), code: code as i32, text: text.to_owned() }
    }

    /// Whether sending the same record again may work. `Unconfirmed` counts: whoever repeats it accepts a
    /// duplicate.
    pub fn is_retryable(&self) -> bool {
        match self {
            ProduceError::TooLarge { .. } | ProduceError::Closed { .. } => false,
            ProduceError::QueueFull { .. }
            | ProduceError::UnknownTopic { .. }
            | ProduceError::Unconfirmed { .. } => true,
            ProduceError::Broker { code, .. } => !REFUSED.contains(code),
        }
    }
}
