use serde::{Deserialize, Serialize};

use super::{ARRAY_START, Codec, CodecError};

pub(super) const CONTENT_TYPE: &str = "application/json";

#[derive(Clone, Copy)]
pub(super) struct Json;

impl Codec for Json {
    fn content_type(self) -> &'static str {
        CONTENT_TYPE
    }

    fn null(self) -> &'static [u8] {
        b"null"
    }

    fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(out, value)
            .map_err(|error| CodecError::Encode { format: CONTENT_TYPE, reason: error.to_string() })
    }

    fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes)
            .map_err(|error| CodecError::Decode { format: CONTENT_TYPE, reason: error.to_string() })
    }

    fn array_start(self, _: u32) -> ([u8; ARRAY_START], usize) {
        ([b'[', 0, 0, 0, 0], 1)
    }

    fn array_separator(self) -> &'static [u8] {
        b","
    }

    fn array_end(self) -> &'static [u8] {
        b"]"
    }
}
