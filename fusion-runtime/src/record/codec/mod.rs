//! Values as bytes.
//!
//! A [`Format`] is what a record's `content-type` names; [`Codec`] is what every format can do. A value is the
//! payload with nothing around it. A tombstone reads as `null`, and a value of no bytes does not read at all:
//! nothing guesses what a sender may have meant.

mod args;
mod json;
#[cfg(feature = "msgpack")]
mod message_pack;

use serde::{Deserialize, Serialize};

pub use args::{ArgsBuf, Shape};
use json::Json;
#[cfg(feature = "msgpack")]
use message_pack::MessagePack;

/// What a format can do.
pub trait Codec: Copy {
    /// What it is called in the header `content-type`.
    fn content_type(self) -> &'static str;

    /// `null`, the value that stands for no arguments, `None` and `()`.
    fn null(self) -> &'static [u8];

    /// Writes a value behind what is there.
    ///
    /// # Errors
    /// [`CodecError::Encode`] when the format cannot express the value, such as a map with keys that are not text in
    /// JSON. The bytes that were there are kept, none are added.
    fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value that takes up all the bytes.
    ///
    /// # Errors
    /// [`CodecError::Empty`] when there are none, [`CodecError::Decode`] when they are something else.
    fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, CodecError>;

    /// Reads the value of a record, in which `None` is a tombstone and decodes as `null`.
    ///
    /// # Errors
    /// Those of [`Codec::decode`].
    fn decode_value<'de, T: Deserialize<'de>>(self, value: Option<&'de [u8]>) -> Result<T, CodecError> {
        self.decode(value.unwrap_or(self.null()))
    }

    /// What comes before an array of this many elements: at most [`ARRAY_START`] bytes.
    fn array_start(self, count: u32) -> ([u8; ARRAY_START], usize);

    /// What stands between two elements of an array.
    fn array_separator(self) -> &'static [u8];

    /// What comes after an array.
    fn array_end(self) -> &'static [u8];
}

/// The longest start of an array in any format: MessagePack's with a count of four bytes.
pub const ARRAY_START: usize = 5;

/// A format that values are written in. `App::format` and `Pipeline::connect_with` take one; a
/// record says which it has in its header `content-type`, and a reply has that of its request.
///
/// ```
/// use fusion_runtime::record::codec::{Codec, Format};
///
/// let mut bytes = Vec::new();
/// Format::Json.encode(&[6, 2], &mut bytes)?;
/// assert_eq!(bytes, b"[6,2]");
/// assert_eq!(Format::Json.decode::<Vec<i64>>(&bytes)?, [6, 2]);
/// assert_eq!(Format::Json.decode_value::<Option<i64>>(None)?, None);
/// assert!(Format::Json.decode_value::<Option<i64>>(Some(b"")).is_err());
/// # Ok::<(), fusion_runtime::record::codec::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JSON. Numbers that are none (NaN, the infinities) are written as `null`.
    #[default]
    Json,
    /// MessagePack. Structs are written as maps with their fields' names, so that fields may come and go.
    #[cfg(feature = "msgpack")]
    MessagePack,
}

impl Format {
    /// The format that a `content-type` names, whatever its case and parameters. `None`: one that is not spoken
    /// here.
    ///
    /// ```
    /// use fusion::Format;
    /// assert_eq!(Format::from_content_type("Application/JSON; charset=utf-8"), Some(Format::Json));
    /// assert_eq!(Format::from_content_type("text/csv"), None);
    /// ```
    pub fn from_content_type(text: &str) -> Option<Self> {
        let media_type = text.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is(json::CONTENT_TYPE) {
            return Some(Self::Json);
        }
        #[cfg(feature = "msgpack")]
        if is(message_pack::CONTENT_TYPE) || is(message_pack::OLD_CONTENT_TYPE) {
            return Some(Self::MessagePack);
        }
        None
    }
}

/// Calls the same method of the format's own type.
macro_rules! each {
    ($format:expr, $codec:ident => $call:expr) => {
        match $format {
            Format::Json => {
                let $codec = Json;
                $call
            }
            #[cfg(feature = "msgpack")]
            Format::MessagePack => {
                let $codec = MessagePack;
                $call
            }
        }
    };
}

impl Codec for Format {
    fn content_type(self) -> &'static str {
        each!(self, codec => codec.content_type())
    }

    fn null(self) -> &'static [u8] {
        each!(self, codec => codec.null())
    }

    fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let before = out.len();
        let written = each!(self, codec => codec.encode(value, out));
        if written.is_err() {
            out.truncate(before);
        }
        written
    }

    fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, CodecError> {
        if bytes.is_empty() {
            return Err(CodecError::Empty);
        }
        each!(self, codec => codec.decode(bytes))
    }

    fn array_start(self, count: u32) -> ([u8; ARRAY_START], usize) {
        each!(self, codec => codec.array_start(count))
    }

    fn array_separator(self) -> &'static [u8] {
        each!(self, codec => codec.array_separator())
    }

    fn array_end(self) -> &'static [u8] {
        each!(self, codec => codec.array_end())
    }
}

/// Why a value could not be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The format cannot express the value.
    #[error("the value cannot be written as {format}: {reason}")]
    Encode {
        /// The format's content type.
        format: &'static str,
        /// What the format has to say.
        reason: String,
    },
    /// The bytes are not of the format, or of another type than the one that was asked for.
    #[error("the value cannot be read as {format}: {reason}")]
    Decode {
        /// The format's content type.
        format: &'static str,
        /// What the format has to say.
        reason: String,
    },
    /// There are no bytes. A missing value is a tombstone, or `null`.
    #[error("the value has no bytes")]
    Empty,
}

#[cfg(test)]
mod tests;
