//! How large a record may be that is sent.

use crate::broker::Settings;

use super::{Outgoing, ProduceError};

/// What the app may send in one record, in bytes: more is refused before it is queued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Of key and value together.
    pub(crate) value: usize,
    /// Of all names and values of headers together.
    pub(crate) headers: usize,
}

impl Sizes {
    pub(crate) fn of(settings: &Settings) -> Sizes {
        Sizes { value: settings.largest_value, headers: settings.largest_headers }
    }

    /// Whether a record is small enough, by the bytes of its key and value, and of its headers.
    pub(crate) fn check(self, topic: &str, value: usize, headers: usize) -> Result<(), ProduceError> {
        let too_large = |part, size, limit, setting| {
            Err(ProduceError::TooLarge { topic: topic.to_owned(), part, size, limit, setting })
        };
        if value > self.value {
            too_large("key and value", value, self.value, "largest_value")
        } else if headers > self.headers {
            too_large("headers", headers, self.headers, "largest_headers")
        } else {
            Ok(())
        }
    }

    pub(super) fn check_record(self, record: &Outgoing<'_>) -> Result<(), ProduceError> {
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers = record.headers.iter().map(|(name, value)| name.len() + length(*value)).sum();
        self.check(record.topic, length(record.key) + length(record.value), headers)
    }
}
