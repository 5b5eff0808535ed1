//! Records: what was read or is about to be written, and every byte of ours around it.
//!
//! A record that is being handled in place is borrowed ([`RecordRef`]); one that must outlive its batch is copied
//! ([`Record`]), because a message of librdkafka's keeps its whole fetch buffer in memory. [`wire`] reads and writes
//! the headers and bodies that fusion gives a meaning to, [`codec`] the values.

pub mod codec;
pub mod headers;
pub mod wire;

pub use headers::Headers;

/// A record that was read, borrowed from wherever it lies.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    /// The topic it was read from.
    pub topic: &'a str,
    /// The partition it was read from.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// When it was made, or appended where the topic is set up so; milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone, which is not the same as no bytes.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: HeadersRef<'a>,
}

impl RecordRef<'_> {
    /// Copies everything.
    pub fn to_owned(&self) -> Record {
        Record {
            topic: self.topic.to_owned(),
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self.headers.to_owned(),
        }
    }

    /// The bytes of key, value and headers: what a copy holds in memory, near enough for limits.
    pub fn byte_size(&self) -> usize {
        let part = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        part(self.key) + part(self.value) + self.headers.byte_size()
    }
}

/// A record of its own. The fields are those of [`RecordRef`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The topic it was read from.
    pub topic: String,
    /// The partition it was read from.
    pub partition: i32,
    /// Its place there.
    pub offset: i64,
    /// When it was made, or appended where the topic is set up so; milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Headers,
}

impl Record {
    /// The same record, borrowed.
    ///
    /// ```
    /// use fusion::Record;
    /// let record = Record { topic: "add".into(), offset: 7, value: Some(b"[1,2]".to_vec()), ..Record::default() };
    /// assert_eq!(record.as_ref().value, Some(&b"[1,2]"[..]));
    /// assert_eq!(record.as_ref().to_owned(), record);
    /// ```
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: HeadersRef::from(&self.headers),
        }
    }
}

/// The headers of a record, wherever they lie.
#[derive(Clone, Copy, Debug, Default)]
pub enum HeadersRef<'a> {
    /// None at all, which is known without a look.
    #[default]
    Empty,
    /// Copied ones.
    Owned(&'a Headers),
    /// Those of a message that librdkafka still holds.
    #[cfg(feature = "kafka")]
    #[doc(hidden)]
    Native(crate::broker::ffi::NativeHeaders<'a>),
}

impl<'a> HeadersRef<'a> {
    /// Names and values, in order. A name that was read is bytes: nothing makes a writer use UTF-8.
    #[inline]
    pub fn iter(self) -> HeadersRefIter<'a> {
        match self {
            Self::Empty => HeadersRefIter::Empty,
            Self::Owned(headers) => HeadersRefIter::Owned(headers.iter()),
            #[cfg(feature = "kafka")]
            Self::Native(headers) => HeadersRefIter::Native(headers, 0),
        }
    }

    /// Copies them. A name that is not UTF-8 gets replacement characters, for Kafka's own clients cannot read it.
    pub fn to_owned(self) -> Headers {
        match self {
            Self::Empty => Headers::new(),
            Self::Owned(headers) => headers.clone(),
            #[cfg(feature = "kafka")]
            Self::Native(_) => {
                self.iter().map(|(name, value)| (String::from_utf8_lossy(name), value)).collect()
            }
        }
    }

    /// The bytes of all names and values.
    pub fn byte_size(self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum()
    }
}

impl<'a> From<&'a Headers> for HeadersRef<'a> {
    fn from(headers: &'a Headers) -> Self {
        if headers.is_empty() { Self::Empty } else { Self::Owned(headers) }
    }
}

impl<'a> IntoIterator for HeadersRef<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = HeadersRefIter<'a>;

    fn into_iter(self) -> HeadersRefIter<'a> {
        self.iter()
    }
}

/// Names and values of [`HeadersRef`], in order.
#[derive(Clone, Debug)]
pub enum HeadersRefIter<'a> {
    /// Nothing.
    Empty,
    /// Copied ones.
    Owned(headers::HeadersIter<'a>),
    /// Headers of librdkafka's, and the index of the next one.
    #[cfg(feature = "kafka")]
    #[doc(hidden)]
    Native(crate::broker::ffi::NativeHeaders<'a>, usize),
}

impl<'a> Iterator for HeadersRefIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Empty => None,
            Self::Owned(headers) => headers.next().map(|(name, value)| (name.as_bytes(), value)),
            #[cfg(feature = "kafka")]
            Self::Native(headers, index) => {
                let header = headers.get(*index)?;
                *index += 1;
                Some(header)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_borrowed_record_copies_to_itself() {
        let record = Record {
            topic: "orders".into(),
            partition: 3,
            offset: 41,
            timestamp: Some(1_700_000_000_000),
            key: Some(b"k".to_vec()),
            value: None,
            headers: [("a", Some("1")), ("a", None)].into_iter().collect(),
        };
        assert_eq!(record.as_ref().to_owned(), record);
        assert_eq!(record.as_ref().byte_size(), 1 + 3);
    }

    #[test]
    fn no_headers_are_known_as_such() {
        assert!(matches!(HeadersRef::from(&Headers::new()), HeadersRef::Empty));
        assert_eq!(HeadersRef::Empty.iter().count(), 0);
        assert_eq!(HeadersRef::default().to_owned(), Headers::new());
    }
}
