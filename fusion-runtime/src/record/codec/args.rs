use serde::Serialize;

use super::{ARRAY_START, Codec, CodecError, Format};

/// How a request's arguments become its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Parameters: no argument is `null`, one is the bare value, several are an array.
    #[default]
    Values,
    /// A list: always an array, of however many.
    List,
}

/// Collects the arguments of a request, one by one, and makes its value of them. Use it again and again: it keeps
/// its memory.
///
/// ```
/// use fusion_runtime::record::codec::{ArgsBuf, Format, Shape};
///
/// let mut args = ArgsBuf::new();
/// args.begin(Format::Json);
/// assert_eq!(args.finish(Shape::Values), b"null");
///
/// args.element(&6)?;
/// assert_eq!(args.finish(Shape::Values), b"6");
/// assert_eq!(args.finish(Shape::List), b"[6]");
///
/// args.element_bytes(br#"{"id":2}"#);
/// assert_eq!(args.finish(Shape::Values), br#"[6,{"id":2}]"#);
/// # Ok::<(), fusion_runtime::record::codec::CodecError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ArgsBuf {
    format: Format,
    /// Room for the start of an array, whose length depends on the count in MessagePack; then the elements with
    /// what separates them; then, from `end` on, what an earlier `finish` wrote.
    bytes: Vec<u8>,
    end: usize,
    count: u32,
}

impl ArgsBuf {
    /// No arguments, in the default format. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts anew, in this format.
    pub fn begin(&mut self, format: Format) {
        self.format = format;
        self.count = 0;
        self.bytes.clear();
        self.end = 0;
    }

    /// Adds an argument.
    ///
    /// # Errors
    /// [`CodecError::Encode`] when the format cannot express it. It is not added then.
    pub fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.open_element();
        self.format.encode(value, &mut self.bytes)?;
        self.close_element();
        Ok(())
    }

    /// Adds an argument that is encoded already, in the same format.
    pub fn element_bytes(&mut self, encoded: &[u8]) {
        self.open_element();
        self.bytes.extend_from_slice(encoded);
        self.close_element();
    }

    /// How many arguments there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The value of the arguments so far. More may follow.
    pub fn finish(&mut self, shape: Shape) -> &[u8] {
        match (shape, self.count) {
            (Shape::Values, 0) => self.format.null(),
            (Shape::Values, 1) => self.bytes.get(ARRAY_START..self.end).unwrap_or_default(),
            _ => {
                let (start, length) = self.format.array_start(self.count);
                let first = ARRAY_START - length;
                self.bytes.resize(self.end.max(ARRAY_START), 0);
                self.bytes[first..ARRAY_START].copy_from_slice(&start[..length]);
                self.bytes.extend_from_slice(self.format.array_end());
                &self.bytes[first..]
            }
        }
    }

    /// Nothing counts until it is closed, so that a value that fails half-way leaves no trace.
    fn open_element(&mut self) {
        self.bytes.resize(self.end.max(ARRAY_START), 0);
        if self.count > 0 {
            self.bytes.extend_from_slice(self.format.array_separator());
        }
    }

    fn close_element(&mut self) {
        self.end = self.bytes.len();
        self.count += 1;
    }
}
