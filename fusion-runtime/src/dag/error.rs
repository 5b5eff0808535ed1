//! Why a request has no answer.

use std::fmt;

use crate::failure::{Code, Failure};

/// A request that was not answered, or answered with an error.
///
/// A handler that takes `Result<T, CallError>` for a node sees it instead of being skipped.
///
/// ```
/// use fusion::prelude::*;
///
/// #[contract(topic = "price")]
/// fn price(article: u64) -> i64;
///
/// #[reactor(topic = "offer", deps! < price: "price"(article) >)]
/// fn offer(article: u64, price: Result<i64, CallError>) -> String {
///     match price {
///         Ok(cents) => format!("{article} for {cents}"),
///         Err(error) => format!("{article}, price on request ({})", error.code()),
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CallError {
    // One pointer: results are moved through every node's future.
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    topic: String,
    node: Option<&'static str>,
    retryable: bool,
}

impl CallError {
    /// An error of a request to `topic`.
    pub fn new(code: Code, topic: impl Into<String>, message: impl Into<String>) -> Self {
        let retryable = code.is_retryable();
        CallError {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                topic: topic.into(),
                node: None,
                retryable,
            }),
        }
    }

    /// Says whether asking again may help, where that differs from what is usual for the code.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.inner.retryable = retryable;
        self
    }

    /// The failure of a run that needed this answer.
    pub(crate) fn into_failure(self) -> Failure {
        Failure::new(Code::Dependency, self.to_string()).with_retryable(self.is_retryable()).with_source(self)
    }

    #[must_use]
    pub(crate) fn at_node(mut self, node: &'static str) -> Self {
        self.inner.node.get_or_insert(node);
        self
    }

    /// What went wrong, as one word.
    pub fn code(&self) -> &Code {
        &self.inner.code
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The topic that was asked.
    pub fn topic(&self) -> &str {
        &self.inner.topic
    }

    /// The node of `deps!` that asked, if one did.
    pub fn node(&self) -> Option<&'static str> {
        self.inner.node
    }

    /// Whether asking again may help.
    pub fn is_retryable(&self) -> bool {
        self.inner.retryable
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, message, topic, node, .. } = &*self.inner;
        match node {
            Some(node) => write!(f, "node `{node}` asked `{topic}`: {message} ({code})"),
            None => write!(f, "asked `{topic}`: {message} ({code})"),
        }
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, message, topic, node, retryable } = &*self.inner;
        f.debug_struct("CallError")
            .field("code", code)
            .field("message", message)
            .field("topic", topic)
            .field("node", node)
            .field("retryable", retryable)
            .finish()
    }
}

impl std::error::Error for CallError {}
