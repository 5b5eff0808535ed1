//! A record of a source as it was, sent on with what is to be said of it: late, skipped, not readable any more.

use crate::{
    consume::pairs,
    produce::{Outgoing, Sizes, transactions::Batch},
    record::{
        HeadersRef, RecordRef,
        wire::{DeadLetter, HeaderBuf},
    },
};

use super::clock;

/// A record that no window takes, and why.
pub(super) struct Letter<'a> {
    /// As it was in its source.
    pub(super) record: RecordRef<'a>,
    /// The topic that it goes to.
    pub(super) to: &'a str,
    pub(super) group: &'a str,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// A header behind the others.
    pub(super) more: Option<(&'static str, &'a str)>,
}

impl Letter<'_> {
    /// Adds it to a batch. What came in may be larger than what this app may send, or too large with what is said of it:
    /// then it goes without what does not fit. Where it came from is told all the same, and there it still is.
    pub(super) fn push(&self, sizes: Sizes, headers: &mut HeaderBuf, batch: &mut Batch) {
        self.tell(self.record.headers, self.message, headers);
        let with_own = headers.byte_size() <= sizes.headers;
        if !with_own {
            self.tell(HeadersRef::Empty, self.message, headers);
            if headers.byte_size() > sizes.headers {
                self.tell(HeadersRef::Empty, "", headers);
            }
        }
        let (key, value) = fitting(self.record.key, self.record.value, sizes.value);
        if !with_own || key != self.record.key || value != self.record.value {
            let RecordRef { topic, partition, offset, .. } = self.record;
            tracing::warn!(
                topic,
                partition,
                offset,
                to = self.to,
                "a record is sent on without what is too large"
            );
        }
        batch.push(&Outgoing {
            topic: self.to,
            partition: None,
            key,
            value,
            timestamp: self.record.timestamp.map(clock::sendable),
            headers: &pairs(headers),
        });
    }

    fn tell(&self, own: HeadersRef<'_>, message: &str, headers: &mut HeaderBuf) {
        headers.clear();
        let record = RecordRef { headers: own, ..self.record };
        headers.dead_letter(&DeadLetter { record, group: self.group, code: self.code, message });
        if let Some((name, value)) = self.more {
            headers.push(name, value.as_bytes());
        }
    }
}

/// What fits of a key and a value: rather the key, which says whose it is.
fn fitting<'a>(
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    limit: usize,
) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    if length(key) + length(value) <= limit {
        (key, value)
    } else if length(key) <= limit {
        (key, None)
    } else {
        (None, value.filter(|value| value.len() <= limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::ffi::GroupMetadata;

    const LIMITS: Sizes = Sizes { value: 1_000, headers: 1_000 };

    /// The timestamp with which a record that has this one is sent on.
    fn sent_on(timestamp: Option<i64>) -> Option<i64> {
        let record = RecordRef {
            topic: "brake",
            partition: 0,
            offset: 7,
            timestamp,
            key: None,
            value: None,
            headers: HeadersRef::Empty,
        };
        let letter = Letter { record, to: "brake.dlq", group: "app", code: "c", message: "", more: None };
        let mut batch = Batch::new(GroupMetadata::named("app", 1, "member").unwrap());
        letter.push(LIMITS, &mut HeaderBuf::new(), &mut batch);
        let mut sent = Vec::new();
        let taken: Result<(), ()> = batch.try_each(|record| {
            sent.push(record.timestamp);
            Ok(())
        });
        assert_eq!((taken, sent.len()), (Ok(()), 1));
        sent[0]
    }

    #[test]
    fn what_is_too_far_ahead_is_sent_on_with_a_timestamp_that_brokers_take() {
        const HOUR: i64 = 3_600_000;
        let before = clock::now();
        let sent = sent_on(Some(before + 30 * HOUR)).unwrap();
        assert!(before < sent && sent < clock::now() + HOUR, "{sent}");
        assert_eq!(sent_on(Some(before)), Some(before));
        assert_eq!(sent_on(None), None);
    }

    #[test]
    fn what_fits_of_key_and_value_is_kept() {
        let fits = |key: Option<usize>, value: Option<usize>| {
            let (one, other) = (vec![0; key.unwrap_or(0)], vec![0; value.unwrap_or(0)]);
            let (key, value) = fitting(key.map(|_| &*one), value.map(|_| &*other), 10);
            (key.map(<[u8]>::len), value.map(<[u8]>::len))
        };
        assert_eq!(fits(Some(4), Some(6)), (Some(4), Some(6)));
        assert_eq!(fits(Some(5), Some(6)), (Some(5), None));
        assert_eq!(fits(None, Some(11)), (None, None));
        assert_eq!(fits(Some(11), Some(10)), (None, Some(10)));
        assert_eq!(fits(Some(11), Some(11)), (None, None));
        assert_eq!(fits(Some(11), None), (None, None));
        assert_eq!(fits(None, None), (None, None));
    }
}
