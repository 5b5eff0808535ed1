//! What went wrong with one record, in the words that its caller, its dead letter and its retries need.
//!
//! A handler's error becomes a [`Failure`], whose [`Code`] says what kind it is. [`RetryPolicy`] says how often and
//! after which pause a run is repeated.

mod code;
mod retry;

use std::error::Error;
use std::fmt::{self, Display};

pub use code::Code;
pub use retry::RetryPolicy;

/// Why a record could not be handled.
///
/// Every type that can be displayed turns into one, with code [`Code::Handler`], and may be retried. So `?` works
/// in a handler that returns `Result<T, Failure>`, and a handler may as well return its own error type. The
/// alternate form (`{:#}`) is taken, in which `anyhow` and its like write the whole chain of causes.
///
/// For this to hold, `Failure` itself is not `Display`; read [`Failure::code`] and [`Failure::message`].
///
/// ```
/// use fusion::{Code, Failure};
///
/// fn parse(text: &str) -> Result<i64, Failure> {
///     let number: i64 = text.parse()?;
///     if number < 0 {
///         // The same record would fail again, so it goes to the dead letters at once.
///         return Err(Failure::new("negative", format!("{number} is below zero")).not_retryable());
///     }
///     Ok(number)
/// }
///
/// let failure = parse("three").unwrap_err();
/// assert_eq!(failure.code(), &Code::Handler);
/// assert_eq!(failure.message(), "invalid digit found in string");
/// assert!(failure.is_retryable());
///
/// let failure = parse("-3").unwrap_err();
/// assert_eq!(failure.code().as_str(), "negative");
/// assert!(!failure.is_retryable());
/// ```
pub struct Failure {
    code: Code,
    message: String,
    retryable: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of this kind. Whether it may be retried follows from the code ([`Code::is_retryable`]).
    ///
    /// The code may be one of fusion's or a short word of your own, such as `"out_of_stock"`; it travels in a
    /// header of the error reply. Callers see the message as well.
    pub fn new(code: impl Into<Code>, message: impl Into<String>) -> Self {
        let code = code.into();
        let retryable = code.is_retryable();
        Self { code, message: message.into(), retryable, source: None }
    }

    /// Says that the same record would fail in the same way again: it is not retried, and the caller is told so.
    #[must_use]
    pub fn not_retryable(mut self) -> Self {
        self.retryable = false;
        self
    }

    /// Overrules what the code says about retries, in either direction.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Keeps the error behind it, for logs. It does not travel.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether another attempt may succeed.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The error behind it, if there is one and it was kept.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Code::Handler, format!("{error:#}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Failure");
        out.field("code", &self.code).field("message", &self.message).field("retryable", &self.retryable);
        if let Some(source) = &self.source {
            out.field("source", source);
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_displayed_is_a_retryable_handler_failure() {
        let failure = Failure::from("the stock is empty");
        assert_eq!(failure.code(), &Code::Handler);
        assert_eq!(failure.message(), "the stock is empty");
        assert!(failure.is_retryable());
    }

    #[test]
    fn the_code_decides_and_may_be_overruled() {
        assert!(!Failure::new(Code::Decode, "").is_retryable());
        assert!(Failure::new(Code::Decode, "").with_retryable(true).is_retryable());
        assert!(Failure::new("out_of_stock", "").is_retryable());
        assert!(!Failure::new("out_of_stock", "").not_retryable().is_retryable());
    }

    #[test]
    fn the_source_is_kept() {
        let failure = Failure::new(Code::Handler, "no stock").with_source(std::fmt::Error);
        assert!(failure.source().is_some());
        assert!(format!("{failure:?}").contains("source: Error"));
    }
}
