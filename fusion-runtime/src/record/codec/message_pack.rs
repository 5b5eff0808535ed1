use std::io::ErrorKind;

use rmp_serde::decode::Error as DecodeError;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{ARRAY_START, Codec, CodecError};

/// The name that IANA registered.
pub(super) const CONTENT_TYPE: &str = "application/msgpack";

/// What it was called before that, and is still sent.
pub(super) const OLD_CONTENT_TYPE: &str = "application/x-msgpack";

#[derive(Clone, Copy)]
pub(super) struct MessagePack;

impl Codec for MessagePack {
    fn content_type(self) -> &'static str {
        CONTENT_TYPE
    }

    fn null(self) -> &'static [u8] {
        &[0xc0]
    }

    fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        value
            .serialize(&mut rmp_serde::Serializer::new(out).with_struct_map())
            .map_err(|error| CodecError::Encode { format: CONTENT_TYPE, reason: error.to_string() })
    }

    fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, CodecError> {
        let failed = |reason: String| CodecError::Decode { format: CONTENT_TYPE, reason };
        let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
        let value = T::deserialize(&mut reader).map_err(|error| failed(error.to_string()))?;
        // rmp-serde stops behind the value and does not say where that is, so only the attempt to read another one
        // tells whether the bytes are used up.
        match IgnoredAny::deserialize(&mut reader) {
            Err(DecodeError::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => Ok(value),
            _ => Err(failed("trailing bytes".to_owned())),
        }
    }

    fn array_start(self, count: u32) -> ([u8; ARRAY_START], usize) {
        let [a, b, c, d] = count.to_be_bytes();
        match count {
            0..16 => ([0x90 | d, 0, 0, 0, 0], 1),
            16..0x1_0000 => ([0xdc, c, d, 0, 0], 3),
            _ => ([0xdd, a, b, c, d], 5),
        }
    }

    fn array_separator(self) -> &'static [u8] {
        b""
    }

    fn array_end(self) -> &'static [u8] {
        b""
    }
}
