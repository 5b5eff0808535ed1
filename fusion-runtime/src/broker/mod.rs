//! Everything that knows how to reach Kafka: what it is told ([`Config`]), the broker inside the process
//! ([`EmbeddedKafka`]), the topics that must exist ([`topics`]) and the few calls that only C offers ([`ffi`]).
//!
//! Consumers and producers are made from the `ClientConfig`s that [`Config`] hands out and from nothing else:
//! that is where the settings stand without which a client would be slow, lose records or double them.

pub mod config;
pub mod context;
pub mod embedded;
pub mod ffi;
pub mod topics;

pub use config::{
    Backoff, Config, ConfigError, Delivery, GroupProtocol, OnGap, Settings, Start, TopicPolicy,
};
pub use context::LogContext;
pub(crate) use context::{Errors, log as context_log};
pub use embedded::EmbeddedKafka;
pub use topics::{TopicError, TopicInfo, TopicSpec};
