use serde::{Deserialize, Serialize};

use super::super::HeadersRef;
use super::super::codec::{Codec, Format};
use super::{HeaderBuf, clipped, name};
use crate::failure::Code;

/// What the headers of a reply say. Everything is borrowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyHeaders<'a> {
    /// Which request is answered; [`super::correlation_id`] reads it.
    pub correlation: Option<&'a [u8]>,
    /// Whether the request failed.
    pub error: Option<ReplyError<'a>>,
    /// The format of the value. That of an error's body is always JSON.
    pub content_type: Option<&'a str>,
}

/// How a reply says that the request failed. What it says is read by [`ErrorReply::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError<'a> {
    /// In fusion's way: the code is here, the rest in the body.
    Fusion(&'a [u8]),
    /// In NestJS's way: everything is here, as text or as a JSON object.
    Nest(&'a [u8]),
}

impl<'a> ReplyHeaders<'a> {
    /// Reads the headers of a reply, in one pass and without allocation.
    ///
    /// The two headers of an error count even without a value: a failure must not pass for an answer. A content
    /// type that is not text is given as an empty one, which names no format.
    pub fn read(headers: HeadersRef<'a>) -> Self {
        const CORRELATION: &[u8] = name::CORRELATION.as_bytes();
        const ERROR: &[u8] = name::ERROR.as_bytes();
        const NEST_ERROR: &[u8] = name::NEST_ERROR.as_bytes();
        const CONTENT_TYPE: &[u8] = name::CONTENT_TYPE.as_bytes();
        let mut reply = Self::default();
        for (name, value) in headers {
            match (name, value) {
                (CORRELATION, Some(id)) => reply.correlation = Some(id),
                (ERROR, code) => reply.error = Some(ReplyError::Fusion(code.unwrap_or_default())),
                // Ours says more, and we write both.
                (NEST_ERROR, _) if matches!(reply.error, Some(ReplyError::Fusion(_))) => {}
                (NEST_ERROR, text) => reply.error = Some(ReplyError::Nest(text.unwrap_or_default())),
                (CONTENT_TYPE, Some(text)) => {
                    reply.content_type = Some(std::str::from_utf8(text).unwrap_or_default());
                }
                _ => {}
            }
        }
        reply
    }
}

/// The body of an error reply, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody<'a> {
    /// What kind of failure it was: see [`Code`].
    pub code: &'a str,
    /// What happened, for people. What is longer than [`super::MESSAGE_LIMIT`] is cut.
    pub message: &'a str,
    /// The topic of the request that failed.
    pub topic: &'a str,
    /// Whether another attempt may succeed.
    pub retryable: bool,
}

/// A failure that another service replied with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// What kind of failure it was. NestJS has no codes; its errors are those of a handler.
    pub code: Code,
    /// What happened, for people; may be empty.
    pub message: String,
    /// The topic that failed, if the reply says so.
    pub topic: Option<String>,
    /// Whether another attempt may succeed; what the code implies, if the reply does not say.
    pub retryable: bool,
}

/// [`ErrorBody`] as others may write it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AnyBody {
    message: Option<String>,
    topic: Option<String>,
    retryable: Option<bool>,
}

impl ErrorReply {
    /// Reads what a failed reply says. Something always comes of it: a body that cannot be read only leaves the
    /// message empty.
    pub fn read(error: ReplyError<'_>, value: Option<&[u8]>) -> Self {
        let (code, text, body): (Code, &[u8], AnyBody) = match error {
            ReplyError::Fusion(code) => {
                let code = Code::from(String::from_utf8_lossy(code).as_ref());
                (code, b"", Format::Json.decode_value(value).unwrap_or_default())
            }
            ReplyError::Nest(text) => (Code::Handler, text, Format::Json.decode(text).unwrap_or_default()),
        };
        let message = body.message.unwrap_or_else(|| String::from_utf8_lossy(text).into_owned());
        let retryable = body.retryable.unwrap_or(code.is_retryable());
        Self { code, message, topic: body.topic, retryable }
    }
}

impl HeaderBuf {
    /// Adds the headers of a reply to a request that had this correlation; `content_type` is needed only when the
    /// value is not JSON.
    pub fn reply(&mut self, correlation: Option<&[u8]>, content_type: Option<&str>) {
        if let Some(correlation) = correlation {
            self.push(name::CORRELATION, correlation);
        }
        self.push(name::NEST_IS_DISPOSED, &[0]);
        if let Some(content_type) = content_type {
            self.push(name::CONTENT_TYPE, content_type.as_bytes());
        }
    }

    /// Adds the headers of an error reply, and writes its body, JSON whatever the format of the request, in place
    /// of what is in `body`.
    ///
    /// NestJS callers get the same JSON from the header, which they read as an object.
    pub fn error_reply(&mut self, correlation: Option<&[u8]>, error: &ErrorBody<'_>, body: &mut Vec<u8>) {
        body.clear();
        let written = Format::Json.encode(&ErrorBody { message: clipped(error.message), ..*error }, body);
        debug_assert_eq!(written, Ok(()), "text and a flag can be written");
        self.reply(correlation, None);
        self.push(name::ERROR, error.code.as_bytes());
        self.push(name::NEST_ERROR, body);
    }
}
