use std::ops::Range;

use super::super::HeadersRef;

/// The headers of one record to be written. It is cleared and filled again and again and keeps its memory, so a
/// header costs a copy and no allocation.
///
/// ```
/// use fusion_runtime::record::wire::HeaderBuf;
///
/// let mut buf = HeaderBuf::new();
/// buf.push("fusion-hops", b"1");
/// assert_eq!(buf.iter().collect::<Vec<_>>(), [("fusion-hops", Some(&b"1"[..]))]);
/// buf.clear();
/// assert!(buf.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct HeaderBuf {
    entries: Vec<Entry>,
    values: Vec<u8>,
    /// The names that are not fusion's own.
    names: String,
}

#[derive(Clone, Debug)]
struct Entry {
    name: Name,
    value: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
enum Name {
    Known(&'static str),
    Copied(Range<usize>),
}

impl HeaderBuf {
    /// No headers. Allocates nothing.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), values: Vec::new(), names: String::new() }
    }

    /// Takes all headers out.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
        self.names.clear();
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&[u8]>)> {
        self.entries.iter().map(|entry| {
            let name = match &entry.name {
                Name::Known(name) => *name,
                Name::Copied(range) => &self.names[range.clone()],
            };
            (name, entry.value.clone().map(|range| &self.values[range]))
        })
    }

    /// The bytes of all names and values.
    pub fn byte_size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum()
    }

    /// Adds a header.
    pub fn push(&mut self, name: &'static str, value: &[u8]) {
        let start = self.values.len();
        self.values.extend_from_slice(value);
        self.entries.push(Entry { name: Name::Known(name), value: Some(start..self.values.len()) });
    }

    /// Adds a number as decimal text.
    pub fn push_decimal(&mut self, name: &'static str, mut number: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.push(name, &digits[first..]);
    }

    /// Adds headers as they came. A name that is not UTF-8 gets replacement characters.
    pub fn copy(&mut self, headers: HeadersRef<'_>) {
        for (name, value) in headers {
            let name_start = self.names.len();
            self.names.push_str(&String::from_utf8_lossy(name));
            let value = value.map(|value| {
                let start = self.values.len();
                self.values.extend_from_slice(value);
                start..self.values.len()
            });
            self.entries.push(Entry { name: Name::Copied(name_start..self.names.len()), value });
        }
    }
}
