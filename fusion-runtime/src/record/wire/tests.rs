//! Every header byte for byte, both ways where both are ours.

use proptest::prelude::*;

use super::super::{Headers, HeadersRef, Record};
use super::*;
use crate::failure::Code;

type Pair<'a> = (&'a str, Option<&'a [u8]>);

fn pair<'a>(name: &'a str, value: &'a [u8]) -> Pair<'a> {
    (name, Some(value))
}

fn headers(pairs: &[(&str, &[u8])]) -> Headers {
    pairs.iter().map(|(name, value)| (*name, Some(*value))).collect()
}

fn written(buf: &HeaderBuf) -> Headers {
    buf.iter().collect()
}

const ID: u128 = 0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8;
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn request_bytes() {
    let mut buf = HeaderBuf::new();
    buf.request(&RequestHeaders {
        reply_to: Some("fusion.inbox.math.1"),
        reply_partition: Some(258),
        correlation: Some(ID),
        deadline: Some(1_700_000_000_123),
        hops: Some(1),
        content_type: Some("application/msgpack"),
        traceparent: Some(TRACE),
    });
    let expected = [
        pair("kafka_replyTopic", b"fusion.inbox.math.1"),
        pair("kafka_replyPartition", &[0, 0, 1, 2]),
        pair("kafka_correlationId", b"67e55044-10b1-426f-9247-bb680e5fe0c8"),
        pair("fusion-deadline", b"1700000000123"),
        pair("fusion-hops", b"1"),
        pair("content-type", b"application/msgpack"),
        pair("traceparent", TRACE.as_bytes()),
    ];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);

    let headers = written(&buf);
    let call = Call::read(HeadersRef::from(&headers));
    let expected = Call {
        reply_to: Some("fusion.inbox.math.1"),
        reply_partition: Some(258),
        correlation: Some(b"67e55044-10b1-426f-9247-bb680e5fe0c8"),
        deadline: Some(1_700_000_000_123),
        hops: Some(1),
        content_type: Some("application/msgpack"),
        traceparent: Some(TRACE),
        faults: Faults::default(),
    };
    assert_eq!(call, expected);
    assert_eq!(call.next_hops(), 2);
}

#[test]
fn an_event_writes_nothing_that_is_not_asked_for() {
    let mut buf = HeaderBuf::new();
    buf.request(&RequestHeaders::default());
    assert!(buf.is_empty());
    assert_eq!(Call::read(HeadersRef::Empty), Call::default());
    assert_eq!(Call::default().next_hops(), 1);
}

#[test]
fn reply_bytes() {
    let mut buf = HeaderBuf::new();
    buf.reply(Some(&[0xff, 0, 0x80]), None);
    let expected = [pair("kafka_correlationId", &[0xff, 0, 0x80]), pair("kafka_nest-is-disposed", &[0])];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);
    let headers = written(&buf);
    let reply = ReplyHeaders::read(HeadersRef::from(&headers));
    assert_eq!(reply, ReplyHeaders { correlation: Some(&[0xff, 0, 0x80]), ..ReplyHeaders::default() });

    buf.clear();
    buf.reply(None, Some("application/msgpack"));
    let expected = [pair("kafka_nest-is-disposed", &[0]), pair("content-type", b"application/msgpack")];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn error_reply_bytes() {
    let mut buf = HeaderBuf::new();
    let mut body = b"left over".to_vec();
    let error = ErrorBody { code: "timeout", message: "took \"long\"", topic: "sum", retryable: true };
    buf.error_reply(Some(b"id"), &error, &mut body);
    let json = br#"{"code":"timeout","message":"took \"long\"","topic":"sum","retryable":true}"#;
    assert_eq!(body, json);
    let expected = [
        pair("kafka_correlationId", b"id"),
        pair("kafka_nest-is-disposed", &[0]),
        pair("fusion-error", b"timeout"),
        pair("kafka_nest-err", json),
    ];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);

    let headers = written(&buf);
    let reply = ReplyHeaders::read(HeadersRef::from(&headers));
    assert_eq!(reply.error, Some(ReplyError::Fusion(b"timeout")));
    let expected = ErrorReply {
        code: Code::Timeout,
        message: "took \"long\"".into(),
        topic: Some("sum".into()),
        retryable: true,
    };
    assert_eq!(ErrorReply::read(ReplyError::Fusion(b"timeout"), Some(&body)), expected);
}

#[test]
fn dead_letter_bytes() {
    let record = Record {
        topic: "orders".into(),
        partition: 3,
        offset: 0x0102_0304_0506,
        timestamp: Some(1_700_000_000_123),
        headers: [("tenant", Some("red")), ("empty", None)].into_iter().collect(),
        ..Record::default()
    };
    let mut buf = HeaderBuf::new();
    buf.dead_letter(&DeadLetter {
        record: record.as_ref(),
        group: "math",
        code: "handler",
        message: "no stöck",
    });
    let expected = [
        pair("tenant", b"red"),
        ("empty", None),
        pair("kafka_dlt-original-topic", b"orders"),
        pair("kafka_dlt-original-partition", &[0, 0, 0, 3]),
        pair("kafka_dlt-original-offset", &[0, 0, 1, 2, 3, 4, 5, 6]),
        pair("kafka_dlt-original-timestamp", &[0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x7b]),
        pair("kafka_dlt-original-timestamp-type", b"CreateTime"),
        pair("kafka_dlt-original-consumer-group", b"math"),
        pair("kafka_dlt-exception-fqcn", b"handler"),
        pair("kafka_dlt-exception-message", "no stöck".as_bytes()),
    ];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_dead_letter_without_a_timestamp_says_nothing_about_it() {
    let record = Record::default();
    let mut buf = HeaderBuf::new();
    buf.dead_letter(&DeadLetter { record: record.as_ref(), group: "g", code: "c", message: "m" });
    assert!(!buf.iter().any(|(name, _)| name.contains("timestamp")));
}

#[test]
fn envelope_bytes() {
    let mut value = Vec::new();
    Envelope { data: b"[6,2]", return_topic: Some("sums".into()) }.write(&mut value);
    assert_eq!(value, br#"{"data":[6,2],"return-topic":"sums"}"#);
    let expected = Envelope { data: b"[6,2]", return_topic: Some("sums".into()) };
    assert_eq!(Envelope::read(&value), Ok(expected));
}

#[test]
fn envelopes_as_others_write_them() {
    let topic = |value: &str| Envelope::read(value.as_bytes()).map(|envelope| envelope.return_topic);
    assert_eq!(topic(r#"{"response-topic":"r","data":1}"#), Ok(Some("r".into())));
    assert_eq!(topic(r#"{"response-topic":"r","return-topic":"s","data":1}"#), Ok(Some("s".into())));
    assert_eq!(topic(r#"{"data":1,"return-topic":null,"more":{}}"#), Ok(None));
    for bad in ["", "[1]", "{}", r#"{"return-topic":"r"}"#, r#"{"data":1,"return-topic":7}"#] {
        assert!(matches!(topic(bad), Err(EnvelopeError::Malformed(_))), "{bad}");
    }
    assert_eq!(topic(r#"{"data":1,"return-topic":"a b"}"#), Err(EnvelopeError::ReturnTopic("a b".into())));
}

#[test]
fn the_only_element_of_an_array() {
    assert_eq!(only_element(br#" [ {"a": [1]} ] "#), Some(&br#"{"a": [1]}"#[..]));
    for other in ["[]", "[1,2]", "1", "{}", "[1"] {
        assert_eq!(only_element(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn reply_partitions_in_both_forms() {
    let read = |value: &[u8]| {
        let headers = headers(&[(name::REPLY_PARTITION, value)]);
        let call = Call::read(HeadersRef::from(&headers));
        assert_eq!(call.faults.contains(Fault::ReplyPartition), call.reply_partition.is_none(), "{value:?}");
        call.reply_partition
    };
    let table: [(&[u8], Option<i32>); 16] = [
        (&[0, 0, 0, 0], Some(0)),
        (&[0, 0, 0, 7], Some(7)),
        (&[0, 0xff, 0xff, 0xff], Some(0x00ff_ffff)),
        (b"0", Some(0)),
        (b"12", Some(12)),
        (b"1234", Some(1234)),
        (b"0000", Some(0)),
        (b"2147483647", Some(i32::MAX)),
        (b"2147483648", None),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b" 1", None),
        (&[1, 0, 0, 0], None),
        (&[0, 0, 7], None),
        (&[0, 0, 0, 0, 7], None),
    ];
    for (value, expected) in table {
        assert_eq!(read(value), expected, "{value:?}");
    }
}

#[test]
fn what_cannot_be_read_is_a_fault_of_its_own() {
    let long = [b'a'; 250];
    let table: [(&str, &[u8], Fault); 12] = [
        (name::REPLY_TOPIC, &[0xff], Fault::ReplyTopic),
        (name::REPLY_TOPIC, b"", Fault::ReplyTopic),
        (name::REPLY_TOPIC, b"..", Fault::ReplyTopic),
        (name::REPLY_TOPIC, "bücher".as_bytes(), Fault::ReplyTopic),
        (name::REPLY_TOPIC, &long, Fault::ReplyTopic),
        (name::DEADLINE, b"soon", Fault::Deadline),
        (name::DEADLINE, b"18446744073709551616", Fault::Deadline),
        (name::DEADLINE, b"", Fault::Deadline),
        (name::HOPS, b"-1", Fault::Hops),
        (name::HOPS, b"4294967296", Fault::Hops),
        (name::CONTENT_TYPE, &[0xff], Fault::ContentType),
        (name::TRACEPARENT, &[0xff], Fault::Traceparent),
    ];
    for (name, value, fault) in table {
        let headers = headers(&[(name, value)]);
        let call = Call::read(HeadersRef::from(&headers));
        assert_eq!(call.faults.iter().collect::<Vec<_>>(), [fault], "{name} {value:?}");
        let hops = (fault == Fault::Hops).then_some(u32::MAX);
        assert_eq!(call, Call { hops, faults: call.faults, ..Call::default() }, "{name} {value:?}");
    }
}

#[test]
fn the_last_of_several_counts_and_only_it_is_judged() {
    let headers = headers(&[
        (name::CORRELATION, b"first"),
        (name::DEADLINE, b"junk"),
        (name::CORRELATION, b"last"),
        (name::DEADLINE, b"7"),
    ]);
    let call = Call::read(HeadersRef::from(&headers));
    assert_eq!((call.correlation, call.deadline), (Some(&b"last"[..]), Some(7)));
    assert_eq!(call.faults.iter().collect::<Vec<_>>(), [Fault::Repeated]);
    assert_eq!(format!("{:?}", call.faults), "{Repeated}");
}

#[test]
fn headers_without_a_value_were_not_sent() {
    let mut headers = headers(&[(name::CORRELATION, b"id")]);
    headers.push_null(name::CORRELATION);
    headers.push_null(name::REPLY_TOPIC);
    let call = Call::read(HeadersRef::from(&headers));
    assert_eq!(call, Call { correlation: Some(b"id"), ..Call::default() });
}

#[test]
fn names_are_compared_as_they_are() {
    let headers = headers(&[("Kafka_replyTopic", b"a"), ("fusion-deadlines", b"7"), ("other", b"x")]);
    assert_eq!(Call::read(HeadersRef::from(&headers)), Call::default());
}

#[test]
fn deadlines_pass_at_their_millisecond() {
    let call = Call { deadline: Some(100), ..Call::default() };
    assert!(!call.is_expired(99) && call.is_expired(100));
    assert!(!Call::default().is_expired(u64::MAX));
    assert_eq!(Call { hops: Some(u32::MAX), ..Call::default() }.next_hops(), u32::MAX);
}

#[test]
fn failed_replies_of_others() {
    let nest = |text: &str| ErrorReply::read(ReplyError::Nest(text.as_bytes()), Some(b"null"));
    assert_eq!(nest("Forbidden").message, "Forbidden");
    assert_eq!(nest(r#"{"status":"error","message":"gone"}"#).message, "gone");
    assert_eq!(nest(r#"{"statusCode":400}"#).message, r#"{"statusCode":400}"#);
    assert_eq!((nest("").code, nest("").retryable), (Code::Handler, true));

    let foreign = ErrorReply::read(ReplyError::Fusion(b"out_of_stock"), Some(br#"{"retryable":false}"#));
    assert_eq!((foreign.code.as_str(), foreign.retryable), ("out_of_stock", false));
    for unreadable in [None, Some(&b""[..]), Some(b"<html>"), Some(br#"{"message":7}"#)] {
        let reply = ErrorReply::read(ReplyError::Fusion(b"decode"), unreadable);
        let expected =
            ErrorReply { code: Code::Decode, message: String::new(), topic: None, retryable: false };
        assert_eq!(reply, expected);
    }
}

#[test]
fn a_failure_never_passes_for_an_answer() {
    for (name, error) in [(name::ERROR, ReplyError::Fusion(b"")), (name::NEST_ERROR, ReplyError::Nest(b""))] {
        let mut headers = Headers::new();
        headers.push_null(name);
        assert_eq!(ReplyHeaders::read(HeadersRef::from(&headers)).error, Some(error));
    }
    let both = headers(&[(name::ERROR, b"hops"), (name::NEST_ERROR, b"{}")]);
    assert_eq!(ReplyHeaders::read(HeadersRef::from(&both)).error, Some(ReplyError::Fusion(b"hops")));
    let odd = headers(&[(name::CONTENT_TYPE, &[0xff])]);
    assert_eq!(ReplyHeaders::read(HeadersRef::from(&odd)).content_type, Some(""));
}

#[test]
fn long_messages_are_cut_between_characters() {
    let message = format!("a{}", "ö".repeat(MESSAGE_LIMIT));
    let mut buf = HeaderBuf::new();
    let record = Record::default();
    buf.dead_letter(&DeadLetter { record: record.as_ref(), group: "g", code: "c", message: &message });
    let headers = written(&buf);
    assert_eq!(headers.get_str(name::DLT_MESSAGE).map(str::len), Some(MESSAGE_LIMIT - 1));

    let mut body = Vec::new();
    let error = ErrorBody { code: "handler", message: &message, topic: "t", retryable: true };
    buf.error_reply(None, &error, &mut body);
    let read = ErrorReply::read(ReplyError::Fusion(b"handler"), Some(&body));
    assert_eq!(read.message.len(), MESSAGE_LIMIT - 1);
}

#[test]
fn correlation_texts_that_are_not_ours() {
    assert_eq!(correlation_id(b"67E55044-10B1-426F-9247-BB680E5FE0C8"), Some(ID));
    let others: [&[u8]; 5] = [
        b"",
        &ID.to_be_bytes(),
        b"67e5504410b1426f9247bb680e5fe0c8",
        b"67e55044-10b1-426f-9247-bb680e5fe0cg",
        b"67e55044010b1-426f-9247-bb680e5fe0c8",
    ];
    for other in others {
        assert_eq!(correlation_id(other), None, "{other:?}");
    }
}

#[test]
fn headers_are_copied_as_they_came() {
    let original: Headers = [("ä", Some("1")), ("b", None), ("b", Some(""))].into_iter().collect();
    let mut buf = HeaderBuf::new();
    buf.push("first", b"");
    buf.copy(HeadersRef::from(&original));
    let expected = [pair("first", b""), pair("ä", b"1"), ("b", None), pair("b", b"")];
    assert_eq!(buf.iter().collect::<Vec<_>>(), expected);
    assert_eq!(buf.byte_size(), 5 + 2 + 1 + 1 + 1);
    assert_eq!(buf.len(), 4);
}

proptest! {
    #[test]
    fn correlation_ids_are_read_as_written(id: u128) {
        prop_assert_eq!(correlation_id(&correlation_text(id)), Some(id));
    }

    #[test]
    fn numbers_are_read_as_written(deadline: u64, hops: u32, partition in 0..0x0100_0000) {
        let mut buf = HeaderBuf::new();
        buf.request(&RequestHeaders {
            deadline: Some(deadline), hops: Some(hops), reply_partition: Some(partition), ..Default::default()
        });
        let headers = written(&buf);
        let call = Call::read(HeadersRef::from(&headers));
        prop_assert_eq!(call.deadline, Some(deadline));
        prop_assert_eq!(call.hops, Some(hops));
        prop_assert_eq!(call.reply_partition, Some(partition));
        prop_assert!(call.faults.is_empty());
    }

    #[test]
    fn any_bytes_are_read_without_harm(values: Vec<(usize, Option<Vec<u8>>)>) {
        let names = [
            name::REPLY_TOPIC, name::REPLY_PARTITION, name::CORRELATION, name::DEADLINE, name::HOPS,
            name::CONTENT_TYPE, name::TRACEPARENT, name::ERROR, name::NEST_ERROR,
        ];
        let headers: Headers =
            values.iter().map(|(name, value)| (names[name % names.len()], value.clone())).collect();
        let call = Call::read(HeadersRef::from(&headers));
        prop_assert_eq!(call.correlation, headers.get_all(name::CORRELATION).flatten().last());
        let reply = ReplyHeaders::read(HeadersRef::from(&headers));
        prop_assert_eq!(reply.correlation, call.correlation);
        let failed = headers.iter().any(|(name, _)| name == name::ERROR || name == name::NEST_ERROR);
        prop_assert_eq!(reply.error.is_some(), failed);
        for (_, value) in &headers {
            if let Some(error) = reply.error {
                ErrorReply::read(error, value);
            }
            let _ = Envelope::read(value.unwrap_or_default());
        }
    }
}
