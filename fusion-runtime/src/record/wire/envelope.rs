use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::codec::{Codec, CodecError, Format};
use super::is_topic_name;

/// fusion-clj's envelope: a request as one JSON object, for reactors and contracts with `envelope = json`. The
/// reply to it is the bare result.
///
/// ```
/// use fusion_runtime::record::wire::Envelope;
///
/// let envelope = Envelope::read(br#"{"data": [1, 2], "return-topic": "sums"}"#)?;
/// assert_eq!(envelope.data, b"[1, 2]");
/// assert_eq!(envelope.return_topic.as_deref(), Some("sums"));
///
/// let mut value = Vec::new();
/// Envelope { data: b"[1,2]", return_topic: None }.write(&mut value);
/// assert_eq!(value, br#"{"data":[1,2]}"#);
/// # Ok::<(), fusion_runtime::record::wire::EnvelopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The arguments: JSON, in fusion-clj always an array.
    pub data: &'a [u8],
    /// The topic that the result goes to.
    pub return_topic: Option<String>,
}

/// Why a value is not fusion-clj's envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It is no JSON object, or has no `data`.
    #[error("the value is not an envelope with `data`: {0}")]
    Malformed(#[from] CodecError),
    /// The topic cannot be the name of one. The request cannot be answered.
    #[error("`{0}` is not the name of a topic")]
    ReturnTopic(String),
}

#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(rename = "return-topic")]
    return_topic: Option<String>,
    /// What fusion-clj's own sender writes.
    #[serde(rename = "response-topic")]
    response_topic: Option<String>,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope. Of the two names of the topic, `return-topic` goes before `response-topic`; other fields
    /// are ignored.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn read(value: &'a [u8]) -> Result<Self, EnvelopeError> {
        let read: Read<'a> = Format::Json.decode(value)?;
        let return_topic = read.return_topic.or(read.response_topic);
        match return_topic {
            Some(topic) if !is_topic_name(topic.as_bytes()) => Err(EnvelopeError::ReturnTopic(topic)),
            return_topic => Ok(Self { data: read.data.get().as_bytes(), return_topic }),
        }
    }

    /// Writes the envelope behind what is there. `data` must be JSON already.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"data":"#);
        out.extend_from_slice(self.data);
        if let Some(topic) = &self.return_topic {
            out.extend_from_slice(br#","return-topic":"#);
            let written = Format::Json.encode(topic, out);
            debug_assert_eq!(written, Ok(()), "text can be written");
        }
        out.push(b'}');
    }
}

/// The element of an array that has one: what a reactor of one parameter takes when the array as a whole is not
/// what it wants.
pub fn only_element(data: &[u8]) -> Option<&[u8]> {
    let [element] = Format::Json.decode::<[&RawValue; 1]>(data).ok()?;
    Some(element.get().as_bytes())
}
