//! What a partition's windows send: results, what came too late, what failed.

use serde::Serialize;
use uuid::Uuid;

use crate::{
    consume::{content_type, pairs},
    failure::Failure,
    produce::{Outgoing, Sizes, transactions::Batch},
    record::{
        Record,
        codec::{Codec, Format},
        wire::{DeadLetter, HeaderBuf, dead_letter_topic, name},
    },
    window::{Kind, Reason, Skipped, WindowSpec, clock, core::LateReason, letter::Letter, typed::Declared},
};

use super::typed::Fired;

const START: &str = "fusion-window-start";
const END: &str = "fusion-window-end";
const REASON: &str = "fusion-window-reason";
const EMIT_ID: &str = "fusion-emit-id";
const LATE_REASON: &str = "fusion-late-reason";

/// What emit ids are made in: one name space for all of them, so that whoever knows app, reactor, key and start can
/// compute one: of a session its end, too, and of an update the record that caused it.
const EMIT_IDS: Uuid = Uuid::from_u128(0x8f0c_1e4a_52d7_5b0e_9a61_3c5d_7e24_0b96);

/// Something to be sent.
#[derive(Debug)]
pub(in crate::window) enum Emit {
    /// What a handler returned.
    Result { fired: Fired, value: Vec<u8>, format: Format },
    /// A handler failed for good.
    Failed { fired: Fired, failure: Failure },
    /// Every window refused a record; it is as it was in its source.
    Late { record: Record, reason: LateReason },
    /// A record of a source that no window can use.
    Skipped { record: Record, reason: Skipped, message: String },
    /// A record of the log that cannot be read any more.
    Unreadable { record: Record, failure: Failure },
}

/// In whose name it is sent.
pub(in crate::window) struct Sender<'a> {
    pub(in crate::window) app: &'a str,
    pub(in crate::window) declared: &'a Declared,
    pub(in crate::window) topic: &'a str,
    pub(in crate::window) partition: i32,
    pub(in crate::window) sizes: Sizes,
    pub(in crate::window) headers: HeaderBuf,
}

impl Sender<'_> {
    /// Adds it to a batch.
    pub(in crate::window) fn push(&mut self, emit: &Emit, batch: &mut Batch) {
        self.headers.clear();
        match emit {
            Emit::Result { fired, value, format } => self.result(fired, value, *format, batch),
            Emit::Failed { fired, failure } => self.failed(fired, failure, batch),
            Emit::Late { record, reason } => self.late(record, *reason, batch),
            Emit::Skipped { record, reason, message } => {
                self.original(&dead_letter_topic(&record.topic), record, (reason.as_str(), message), batch);
            }
            Emit::Unreadable { record, failure } => {
                let why = (failure.code().as_str(), failure.message());
                self.original(&self.declared.failures, record, why, batch);
            }
        }
    }

    fn result(&mut self, fired: &Fired, value: &[u8], format: Format, batch: &mut Batch) {
        let Some(to) = self.declared.spec.to else { return };
        self.window_headers(fired);
        if let Some(content_type) = content_type(format) {
            self.headers.push(name::CONTENT_TYPE, content_type.as_bytes());
        }
        batch.push(&Outgoing {
            topic: to,
            partition: None,
            key: Some(&fired.key),
            value: Some(value),
            timestamp: Some(timestamp(fired)),
            headers: &pairs(&self.headers),
        });
    }

    fn window_headers(&mut self, fired: &Fired) {
        self.headers.push(START, fired.window.start_millis().to_string().as_bytes());
        self.headers.push(END, fired.window.end_millis().to_string().as_bytes());
        self.headers.push(REASON, fired.window.reason().as_str().as_bytes());
        let id = emit_id(self.app, self.declared.spec, fired);
        self.headers.push(EMIT_ID, id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    }

    fn failed(&mut self, fired: &Fired, failure: &Failure, batch: &mut Batch) {
        let letter = self.failed_letter(fired);
        let record = Record {
            topic: self.topic.to_owned(),
            partition: self.partition,
            offset: fired.cause,
            timestamp: Some(timestamp(fired)),
            ..Record::default()
        };
        for message in [failure.message(), ""] {
            self.headers.clear();
            self.window_headers(fired);
            let code = failure.code().as_str();
            self.headers.dead_letter(&DeadLetter { record: record.as_ref(), group: self.app, code, message });
            if self.headers.byte_size() <= self.sizes.headers {
                break;
            }
        }
        batch.push(&Outgoing {
            topic: &self.declared.failures,
            partition: None,
            key: Some(&*fired.key).filter(|_| self.has_room_for_key(fired)),
            value: Some(&letter),
            timestamp: record.timestamp,
            headers: &pairs(&self.headers),
        });
    }

    /// What is told of a window that failed: as many of its records as fit.
    fn failed_letter(&self, fired: &Fired) -> Vec<u8> {
        let key = String::from_utf8_lossy(&fired.key);
        let mut letter = FailedWindow {
            window: self.declared.spec.name,
            key: &key[..key.floor_char_boundary(MOST_KEY.min(self.sizes.value / 16))],
            start: fired.window.start_millis(),
            end: fired.window.end_millis(),
            reason: fired.window.reason().as_str(),
            count: fired.members.len(),
            records: Vec::new(),
        };
        // Numbers and texts: there is nothing that could fail.
        let bytes = |letter: &FailedWindow<'_>| serde_json::to_vec(letter).unwrap_or_default();
        let key = if self.has_room_for_key(fired) { fired.key.len() } else { 0 };
        let mut room = self.sizes.value.saturating_sub(key + bytes(&letter).len());
        letter.records.extend(fired.members.iter().map_while(|origin| {
            let topic = self.declared.spec.topics.get(usize::from(origin.topic)).copied().unwrap_or_default();
            let record = (topic, origin.partition, origin.offset);
            // With a comma.
            room = room.checked_sub(serde_json::to_vec(&record).map_or(0, |text| text.len() + 1))?;
            Some(record)
        }));
        bytes(&letter)
    }

    /// Whether a failure has the window's key as its own, besides what it tells.
    fn has_room_for_key(&self, fired: &Fired) -> bool {
        fired.key.len() <= self.sizes.value / 2
    }

    fn original(&mut self, to: &str, record: &Record, why: (&str, &str), batch: &mut Batch) {
        let (code, message) = why;
        let letter = Letter { record: record.as_ref(), to, group: self.app, code, message, more: None };
        letter.push(self.sizes, &mut self.headers, batch);
    }

    fn late(&mut self, record: &Record, reason: LateReason, batch: &mut Batch) {
        let Some(to) = self.declared.spec.late else { return };
        let letter = Letter {
            record: record.as_ref(),
            to,
            group: self.app,
            code: "late",
            message: "every window of this record had fired or closed",
            more: Some((LATE_REASON, reason.as_str())),
        };
        letter.push(self.sizes, &mut self.headers, batch);
    }
}

/// How much of a key is told of a window that failed, in bytes. The letter's own key is the whole of it.
const MOST_KEY: usize = 1_024;

/// The timestamp of a result. A window that fires early, or for a clock that runs ahead, may end later than brokers take
/// timestamps for.
fn timestamp(fired: &Fired) -> i64 {
    clock::sendable(fired.timestamp).max(0)
}

/// A window whose handler failed, as a dead letter tells of it.
#[derive(Serialize)]
struct FailedWindow<'a> {
    window: &'a str,
    key: &'a str,
    start: i64,
    end: i64,
    reason: &'a str,
    count: usize,
    /// Topic, partition and offset of each, as far as they fit.
    records: Vec<(&'a str, i32, i64)>,
}

/// What tells a result from every other, and is the same if it is sent again.
fn emit_id(app: &str, spec: &WindowSpec, fired: &Fired) -> Uuid {
    let name = spec.name;
    let mut bytes = Vec::with_capacity(app.len() + name.len() + fired.key.len() + 64);
    for part in [app.as_bytes(), name.as_bytes(), &fired.key] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&fired.window.start_millis().to_be_bytes());
    if matches!(spec.kind, Kind::Session { .. }) {
        // Two of a key can begin at one moment, the second when the first is over.
        bytes.extend_from_slice(&fired.window.end_millis().to_be_bytes());
    }
    if fired.window.reason() == Reason::Update
        && let Some(origin) = fired.caused_by
    {
        let topic = spec.topics.get(usize::from(origin.topic)).copied().unwrap_or_default();
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(&origin.partition.to_be_bytes());
        bytes.extend_from_slice(&origin.offset.to_be_bytes());
    }
    Uuid::new_v5(&EMIT_IDS, &bytes)
}

/// Whether a handler returned nothing that would be sent.
pub(in crate::window) fn is_nothing(declared: &Declared, value: &[u8], format: Format) -> bool {
    declared.spec.optional && value == format.null()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::typed::Origin;
    use super::*;
    use crate::window::Window;

    fn fired(key: &str, start: i64, reason: Reason, offset: i64) -> Fired {
        let members = vec![Origin { topic: 0, partition: 0, offset: 1 }];
        Fired {
            key: key.as_bytes().into(),
            window: Window::new(start, start + 10, reason, 1),
            timestamp: start + 9,
            cause: 1,
            // That of an update need not be one of its records.
            caused_by: Some(Origin { topic: 0, partition: 1, offset }),
            members,
        }
    }

    fn spec(name: &'static str, kind: Kind) -> WindowSpec {
        WindowSpec::new(name, &["brake"], kind, Duration::ZERO)
    }

    const TUMBLING: Kind = Kind::Tumbling { size: Duration::from_millis(10) };

    #[test]
    fn an_emit_id_is_that_of_key_and_start() {
        let id = |app, name, fired: Fired| emit_id(app, &spec(name, TUMBLING), &fired);
        let first = id("cars", "approve", fired("a", 0, Reason::Closed, 1));
        assert_eq!(
            first,
            id("cars", "approve", fired("a", 0, Reason::Complete, 2)),
            "however it came to fire"
        );
        assert_ne!(first, id("cars", "approve", fired("b", 0, Reason::Closed, 1)));
        assert_ne!(first, id("cars", "approve", fired("a", 10, Reason::Closed, 1)));
        assert_ne!(first, id("carsa", "pprove", fired("a", 0, Reason::Closed, 1)));
        let update = |offset| id("cars", "approve", fired("a", 0, Reason::Update, offset));
        assert_ne!(update(1), update(2), "each update is a result of its own");
    }

    #[test]
    fn an_emit_id_of_a_session_is_that_of_its_end_too() {
        let session = Kind::Session { gap: Duration::from_millis(5), longest: Duration::from_secs(1) };
        let id = |kind, end| {
            let window = Window::new(0, end, Reason::Closed, 1);
            emit_id("cars", &spec("approve", kind), &Fired { window, ..fired("a", 0, Reason::Closed, 1) })
        };
        // `0..0` has fired when records at 5 and 0 begin another one.
        assert_ne!(id(session, 0), id(session, 5));
        assert_eq!(id(session, 5), id(session, 5));
    }
}
