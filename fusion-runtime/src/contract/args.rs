//! The arguments of one request, on their way to the wire.

use serde::Serialize;

use crate::record::codec::{ArgsBuf, Codec, CodecError, Format, Shape};

/// Collects arguments. What cannot be written is told at the end, so that expansions need no `?` per argument.
#[derive(Debug)]
pub struct Args {
    buffer: ArgsBuf,
    format: Format,
    error: Option<CodecError>,
}

impl Args {
    /// No arguments yet.
    pub fn new(format: Format) -> Self {
        let mut buffer = ArgsBuf::new();
        buffer.begin(format);
        Args { buffer, format, error: None }
    }

    /// Adds one.
    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, argument: &T) {
        if let Err(error) = self.buffer.element(argument) {
            self.error.get_or_insert(error);
        }
    }

    /// The request's value. Of `parameters`, trailing ones may have been left out: they are `null`.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "a crate of contracts sends nothing"))]
    pub(crate) fn finish(mut self, shape: Shape, parameters: usize) -> Result<Vec<u8>, CodecError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        for _ in self.buffer.count() as usize..parameters {
            self.buffer.element_bytes(self.format.null());
        }
        Ok(self.buffer.finish(shape).to_vec())
    }
}
