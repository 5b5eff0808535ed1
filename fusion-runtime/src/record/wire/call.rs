use std::fmt;

use super::super::HeadersRef;
use super::{HeaderBuf, decimal, is_topic_name, name};

/// What the headers of a record say about who asks, and how long they wait. Everything is borrowed.
///
/// ```
/// use fusion_runtime::record::wire::Call;
/// use fusion_runtime::record::{Headers, HeadersRef};
///
/// let mut headers = Headers::new();
/// headers.push("kafka_replyTopic", "math.reply");
/// headers.push("kafka_replyPartition", "2");
/// let call = Call::read(HeadersRef::from(&headers));
/// assert_eq!((call.reply_to, call.reply_partition), (Some("math.reply"), Some(2)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// The topic that the reply goes to; without one, nobody waits for it. The name is legal, but whether the app
    /// may write there is another question.
    pub reply_to: Option<&'a str>,
    /// The partition of it; without one, any.
    pub reply_partition: Option<i32>,
    /// What the reply must carry back byte for byte.
    pub correlation: Option<&'a [u8]>,
    /// Until when the caller waits, in milliseconds since 1970.
    pub deadline: Option<u64>,
    /// Through how many services the request has gone, this one not counted; `u32::MAX` when that cannot be read.
    pub hops: Option<u32>,
    /// The format of the value.
    pub content_type: Option<&'a str>,
    /// The trace that the request belongs to.
    pub traceparent: Option<&'a str>,
    /// What was wrong with the headers, to be counted.
    pub faults: Faults,
}

impl<'a> Call<'a> {
    /// Reads the headers of a request, in one pass and without allocation. Nothing is refused here; what cannot be
    /// read is among [`Call::faults`], and each [`Fault`] says what that means.
    pub fn read(headers: HeadersRef<'a>) -> Self {
        let mut call = Self::default();
        let mut found: [Option<&'a [u8]>; FIELDS] = [None; FIELDS];
        let mut any = false;
        for (name, value) in headers {
            let (Some(field), Some(value)) = (Field::named(name), value) else { continue };
            if found[field as usize].replace(value).is_some() {
                call.faults.add(Fault::Repeated);
            }
            any = true;
        }
        if any {
            call.interpret(&found);
        }
        call
    }

    fn interpret(&mut self, found: &[Option<&'a [u8]>; FIELDS]) {
        let Self { faults, .. } = self;
        let mut read = Reading { found, faults };
        self.reply_to = read.field(Field::ReplyTopic, Fault::ReplyTopic, |name| {
            if is_topic_name(name) { text(name) } else { None }
        });
        self.reply_partition = read.field(Field::ReplyPartition, Fault::ReplyPartition, partition);
        self.deadline = read.field(Field::Deadline, Fault::Deadline, decimal);
        self.content_type = read.field(Field::ContentType, Fault::ContentType, text);
        self.traceparent = read.field(Field::Traceparent, Fault::Traceparent, text);
        self.hops = read
            .field(Field::Hops, Fault::Hops, |digits| u32::try_from(decimal(digits)?).ok())
            .or(self.faults.contains(Fault::Hops).then_some(u32::MAX));
        self.correlation = found[Field::Correlation as usize];
    }

    /// The hops that a request made on behalf of this one carries. The first of all has 1.
    pub fn next_hops(&self) -> u32 {
        self.hops.unwrap_or(0).saturating_add(1)
    }

    /// Whether the caller's deadline has passed, at a time in milliseconds since 1970. Only with a
    /// [`Call::reply_to`] does that mean that nobody waits any more.
    pub fn is_expired(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// The found values, and where to note what is wrong with them.
struct Reading<'f, 'a> {
    found: &'f [Option<&'a [u8]>; FIELDS],
    faults: &'f mut Faults,
}

impl<'a> Reading<'_, 'a> {
    fn field<T>(&mut self, field: Field, fault: Fault, read: impl Fn(&'a [u8]) -> Option<T>) -> Option<T> {
        let value = read(self.found[field as usize]?);
        if value.is_none() {
            self.faults.add(fault);
        }
        value
    }
}

#[derive(Clone, Copy)]
enum Field {
    ReplyTopic,
    ReplyPartition,
    Correlation,
    Deadline,
    Hops,
    ContentType,
    Traceparent,
}

const FIELDS: usize = Field::Traceparent as usize + 1;

impl Field {
    #[inline]
    fn named(name: &[u8]) -> Option<Self> {
        const REPLY_TOPIC: &[u8] = name::REPLY_TOPIC.as_bytes();
        const REPLY_PARTITION: &[u8] = name::REPLY_PARTITION.as_bytes();
        const CORRELATION: &[u8] = name::CORRELATION.as_bytes();
        const DEADLINE: &[u8] = name::DEADLINE.as_bytes();
        const HOPS: &[u8] = name::HOPS.as_bytes();
        const CONTENT_TYPE: &[u8] = name::CONTENT_TYPE.as_bytes();
        const TRACEPARENT: &[u8] = name::TRACEPARENT.as_bytes();
        match name {
            REPLY_TOPIC => Some(Self::ReplyTopic),
            REPLY_PARTITION => Some(Self::ReplyPartition),
            CORRELATION => Some(Self::Correlation),
            DEADLINE => Some(Self::Deadline),
            HOPS => Some(Self::Hops),
            CONTENT_TYPE => Some(Self::ContentType),
            TRACEPARENT => Some(Self::Traceparent),
            _ => None,
        }
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Four bytes that start with zero are a big-endian number (Spring, SmallRye, ourselves), digits are a decimal one
/// (NestJS). The two cannot be mixed up, as long as no topic has more than 16,777,216 partitions.
fn partition(value: &[u8]) -> Option<i32> {
    match value {
        [0, high, middle, low] => Some(i32::from_be_bytes([0, *high, *middle, *low])),
        _ => i32::try_from(decimal(value)?).ok(),
    }
}

/// Something that is wrong with the headers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The reply topic cannot be the name of a topic. The request is a bad one that cannot even be answered:
    /// [`Call::reply_to`] is `None`, but this is no event either.
    ReplyTopic,
    /// The reply partition is neither of the two known forms. It is ignored, the reply goes to any partition.
    ReplyPartition,
    /// The deadline is no number. It is ignored, as if the caller had set none.
    Deadline,
    /// The hops are no number. They count as over every limit, and the request is refused: whatever spoils this
    /// header may sit in a circle of services, and then nothing else would ever stop it.
    Hops,
    /// The content type is not text. It is not known then in which format the value is.
    ContentType,
    /// The trace is not text. It is ignored.
    Traceparent,
    /// One of these headers is there several times. The last one counts.
    Repeated,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ReplyTopic,
        Self::ReplyPartition,
        Self::Deadline,
        Self::Hops,
        Self::ContentType,
        Self::Traceparent,
        Self::Repeated,
    ];

    /// A short name, for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReplyTopic => "reply_topic",
            Self::ReplyPartition => "reply_partition",
            Self::Deadline => "deadline",
            Self::Hops => "hops",
            Self::ContentType => "content_type",
            Self::Traceparent => "traceparent",
            Self::Repeated => "repeated",
        }
    }
}

/// The faults of one request.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults(u8);

impl Faults {
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub fn contains(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.contains(*fault))
    }

    fn add(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What the headers of a request or an event say. Everything that is `None` is not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestHeaders<'a> {
    /// The topic that the reply goes to; `None` for an event.
    pub reply_to: Option<&'a str>,
    /// The partition of it, only for reply topics that are shared or durable: NestJS reads another form, so what it
    /// serves must be asked without.
    pub reply_partition: Option<i32>,
    /// The id that the reply carries back.
    pub correlation: Option<u128>,
    /// Until when the caller waits, in milliseconds since 1970.
    pub deadline: Option<u64>,
    /// Through how many services the request has gone, that of the caller counted: see [`Call::next_hops`].
    pub hops: Option<u32>,
    /// The format of the value; `None` means JSON.
    pub content_type: Option<&'a str>,
    /// The trace that the request belongs to.
    pub traceparent: Option<&'a str>,
}

impl HeaderBuf {
    /// Adds the headers of a request.
    pub fn request(&mut self, request: &RequestHeaders<'_>) {
        if let Some(topic) = request.reply_to {
            self.push(name::REPLY_TOPIC, topic.as_bytes());
        }
        if let Some(partition) = request.reply_partition {
            self.push(name::REPLY_PARTITION, &partition.to_be_bytes());
        }
        if let Some(id) = request.correlation {
            self.push(name::CORRELATION, &super::correlation_text(id));
        }
        if let Some(deadline) = request.deadline {
            self.push_decimal(name::DEADLINE, deadline);
        }
        if let Some(hops) = request.hops {
            self.push_decimal(name::HOPS, u64::from(hops));
        }
        if let Some(content_type) = request.content_type {
            self.push(name::CONTENT_TYPE, content_type.as_bytes());
        }
        if let Some(traceparent) = request.traceparent {
            self.push(name::TRACEPARENT, traceparent.as_bytes());
        }
    }
}
