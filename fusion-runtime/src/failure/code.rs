use std::fmt;

/// What kind of failure it is: the value of the header `fusion-error`, and of `code` in the body of an error reply.
///
/// Codes that fusion does not know, a handler's own or another service's, are kept as they are.
///
/// ```
/// use fusion::Code;
/// assert_eq!(Code::from("timeout"), Code::Timeout);
/// assert_eq!(Code::from("out_of_stock").as_str(), "out_of_stock");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The value, a header or the envelope could not be read.
    Decode,
    /// The handler returned an error.
    Handler,
    /// The handler panicked.
    Panic,
    /// A run or a request took longer than it may.
    Timeout,
    /// The caller's deadline has passed.
    Deadline,
    /// The request went through too many services, probably in a circle.
    Hops,
    /// A request that the handler depends on failed.
    Dependency,
    /// The reply topic is none, or one that the app's policy does not allow.
    ReplyTopic,
    /// A value is larger than the app or the broker allows.
    TooLarge,
    /// The topic does not exist.
    UnknownTopic,
    /// Any other code.
    Other(Box<str>),
}

impl Code {
    /// Fusion's own codes.
    pub const ALL: [Self; 10] = [
        Self::Decode,
        Self::Handler,
        Self::Panic,
        Self::Timeout,
        Self::Deadline,
        Self::Hops,
        Self::Dependency,
        Self::ReplyTopic,
        Self::TooLarge,
        Self::UnknownTopic,
    ];

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Decode => "decode",
            Self::Handler => "handler",
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Hops => "hops",
            Self::Dependency => "dependency",
            Self::ReplyTopic => "reply_topic",
            Self::TooLarge => "too_large",
            Self::UnknownTopic => "unknown_topic",
            Self::Other(code) => code,
        }
    }

    /// Whether another attempt may succeed, unless the failure itself says otherwise.
    ///
    /// - What was wrong with the request stays wrong: bytes that do not decode, a reply topic that is refused, a
    ///   value too large, a topic that does not exist (it is created beforehand or not at all).
    /// - A deadline that has passed does not come back, and a circle stays one.
    /// - A handler, a panic, a dependency or a time-out may have met a passing trouble. A handler's own code counts
    ///   as a handler's error.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Handler | Self::Panic | Self::Timeout | Self::Dependency | Self::Other(_) => true,
            Self::Decode
            | Self::Deadline
            | Self::Hops
            | Self::ReplyTopic
            | Self::TooLarge
            | Self::UnknownTopic => false,
        }
    }
}

impl From<&str> for Code {
    fn from(text: &str) -> Self {
        match Self::ALL.iter().find(|code| code.as_str() == text) {
            Some(code) => code.clone(),
            None => Self::Other(text.into()),
        }
    }
}

impl From<String> for Code {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_they_are_written() {
        for code in Code::ALL {
            assert_eq!(Code::from(code.as_str()), code);
        }
        assert_eq!(Code::from("Timeout"), Code::Other("Timeout".into()));
        assert_eq!(Code::from(""), Code::Other("".into()));
    }

    #[test]
    fn only_passing_trouble_is_retried() {
        let retried: Vec<_> = Code::ALL.iter().filter(|code| code.is_retryable()).map(Code::as_str).collect();
        assert_eq!(retried, ["handler", "panic", "timeout", "dependency"]);
    }
}
