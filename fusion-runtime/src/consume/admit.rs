//! What a record's headers mean for it: run it, refuse it, or let it go.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::{
    contract::Envelope,
    failure::{Code, Failure},
    observe::Count,
    record::{
        RecordRef,
        codec::Format,
        wire::{self, Call, Fault},
    },
};

use super::{
    runner::Input,
    shared::{Core, Served},
};

/// The time, taken once for many records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) instant: Instant,
    epoch_millis: u64,
}

impl Now {
    pub(super) fn read() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let epoch_millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Now { instant: Instant::now(), epoch_millis }
    }

    /// When a time of the wire is; far ahead is a day, since timers have an end.
    fn at(&self, epoch_millis: u64) -> Instant {
        let ahead = Duration::from_millis(epoch_millis.saturating_sub(self.epoch_millis));
        self.instant + ahead.min(Duration::from_secs(86_400))
    }
}

/// A request, or an event: what is left of its headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Where the answer goes, if somebody waits for one.
    pub(super) reply: Option<ReplyTo>,
    pub(super) hops: u32,
    /// The caller's.
    pub(super) deadline: Option<Instant>,
    /// Of the record's value.
    pub(super) format: Format,
    pub(super) traceparent: Option<String>,
}

impl Asked {
    /// Whether somebody has waited for an answer and does so no more. A handler may have passed on the code of another
    /// request's deadline.
    pub(super) fn is_expired(&self) -> bool {
        self.reply.is_some() && self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// The format of what is written: the caller's, or the app's own where nobody asked.
    pub(super) fn written(&self, core: &Core) -> Format {
        if self.reply.is_some() { self.format } else { core.format }
    }
}

/// Where an answer goes.
#[derive(Clone, Debug)]
pub(super) struct ReplyTo {
    pub(super) topic: String,
    pub(super) partition: Option<i32>,
    pub(super) correlation: Option<Vec<u8>>,
}

/// What becomes of a record.
pub(super) enum Admission {
    Run,
    Refuse(Failure),
    Drop,
}

/// Reads the headers, and the envelope where there is one.
pub(super) fn admit<'a>(
    core: &Core,
    served: &Served,
    record: &RecordRef<'a>,
    now: Now,
) -> (Asked, Input<'a>, Admission) {
    let call = Call::read(record.headers);
    // Without a content type it is JSON, whatever this app writes by itself.
    let mut input = Input { value: record.value, format: Format::Json };
    let mut asked = Asked { hops: call.hops.unwrap_or(0), ..Asked::default() };
    if !call.faults.is_empty() {
        core.counters.one(Count::HeaderFaults);
    }
    if let Some(topic) = call.reply_to {
        let correlation = call.correlation.map(<[u8]>::to_vec);
        asked.reply = Some(ReplyTo { topic: topic.to_owned(), partition: call.reply_partition, correlation });
    }
    // A copy per record is only worth it where requests go on with the trace.
    asked.traceparent = call.traceparent.filter(|_| served.reactor.calls()).map(str::to_owned);
    asked.deadline = call.deadline.map(|deadline| now.at(deadline));

    let admission = if served.spec.envelope == Envelope::Json {
        open_envelope(record, &mut input, &mut asked).err()
    } else {
        None
    };
    if let Some(failure) = admission {
        return (asked, input, Admission::Refuse(failure));
    }
    if call.faults.contains(Fault::ReplyTopic) {
        core.counters.one(Count::ReplyTopicRefused);
        let failure =
            Failure::new(Code::ReplyTopic, "the header `kafka_replyTopic` is not the name of a topic");
        return (asked, input, Admission::Refuse(failure));
    }
    if let Some(reply) = &asked.reply
        && let Err(reason) = core.replies.check(&reply.topic)
    {
        core.counters.one(Count::ReplyTopicRefused);
        // It would be wrong to answer there, so there is nobody to tell.
        asked.reply = None;
        return (asked, input, Admission::Refuse(Failure::new(Code::ReplyTopic, reason)));
    }
    if asked.reply.is_some() && call.is_expired(now.epoch_millis) {
        core.counters.one(Count::Expired);
        return (asked, input, Admission::Drop);
    }
    if asked.hops > core.settings.hops {
        core.counters.one(Count::TooManyHops);
        let limit = core.settings.hops;
        let failure = Failure::new(
            Code::Hops,
            format!(
                "this request has come through {} services, more than {limit}: do they ask each other in a circle?",
                asked.hops
            ),
        );
        return (asked, input, Admission::Refuse(failure));
    }
    if let Some(name) = call.content_type {
        match Format::from_content_type(name) {
            // What is in an envelope is JSON.
            Some(format) if served.spec.envelope == Envelope::Headers => {
                (input.format, asked.format) = (format, format);
            }
            Some(_) => {}
            None => {
                let failure = Failure::new(Code::Decode, format!("no codec for the content type `{name}`"));
                return (asked, input, Admission::Refuse(failure));
            }
        }
    } else if call.faults.contains(Fault::ContentType) {
        let failure = Failure::new(Code::Decode, "the header `content-type` is not text");
        return (asked, input, Admission::Refuse(failure));
    }
    (asked, input, Admission::Run)
}

/// fusion-clj's envelope: the payload is inside, and so is the reply topic.
fn open_envelope<'a>(
    record: &RecordRef<'a>,
    input: &mut Input<'a>,
    asked: &mut Asked,
) -> Result<(), Failure> {
    let value = record.value.unwrap_or_default();
    let envelope =
        wire::Envelope::read(value).map_err(|error| Failure::new(Code::Decode, error.to_string()))?;
    input.value = Some(envelope.data);
    if let Some(topic) = envelope.return_topic {
        let correlation = asked.reply.take().and_then(|reply| reply.correlation);
        asked.reply = Some(ReplyTo { topic, partition: None, correlation });
    }
    Ok(())
}
