use proptest::prelude::*;

use super::{control::UnknownTopic, *};
use crate::record::{Headers, HeadersRef};

#[test]
fn a_control_record_can_be_read_by_a_person() {
    let claim = Claim { topic: "brake".into(), partition: 3, newest: Some((1_000, 1_005)), idle: false };
    let sources = vec![Topic("lidar".into(), 2), Topic("brake".into(), 4)].into();
    let control = Control {
        stamp: 1_010,
        lease: Some(10_000),
        partitions: 4,
        sources,
        claims: vec![claim],
        drain: false,
    };
    let text = String::from_utf8(control.to_bytes()).unwrap();
    assert_eq!(
        text,
        r#"{"stamp":1010,"lease":10000,"partitions":4,"sources":[["lidar",2],["brake",4]],"claims":[{"topic":"brake","partition":3,"newest":[1000,1005],"idle":false}]}"#
    );
    assert_eq!(Control::read(text.as_bytes()).unwrap(), control);
    let numbered = control.numbered(&["brake", "lidar"]).unwrap();
    assert_eq!(
        (numbered.lease, numbered.counts, numbered.claims[0].topic),
        (Some(10_000), vec![4, 2], 0),
        "the declaration has another order"
    );
    assert_eq!(control.numbered(&["brake"]), Err(UnknownTopic { topic: "lidar".into() }));
}

#[test]
fn a_tick_has_no_claims() {
    let sources = vec![Topic("brake".into(), 1)].into();
    let tick = Control { stamp: 7, lease: None, partitions: 1, sources, claims: Vec::new(), drain: false };
    assert_eq!(tick.to_bytes(), br#"{"stamp":7,"partitions":1,"sources":[["brake",1]]}"#);
    assert_eq!(Control::read(&tick.to_bytes()).unwrap(), tick);
}

#[test]
fn what_is_no_control_record_is_an_error() {
    for bytes in [&b""[..], b"{}", b"[]", b"\xff", br#"{"stamp":"x","partitions":1}"#] {
        assert!(Control::read(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_key_is_kept_where_it_is_not_the_windows() {
    for (own, kept) in [
        (Some(&b"w"[..]), SourceKey::Same),
        (Some(b""), SourceKey::Other(b"")),
        (Some(b"\0k"), SourceKey::Other(b"\0k")),
        (None, SourceKey::None),
    ] {
        assert_eq!(SourceKey::new(own, b"w"), kept);
        let mut bytes = Vec::new();
        let source =
            Source { topic: "lidar", partition: 2, offset: 99, timestamp: None, time: -1, key: kept };
        source.write(&mut bytes);
        assert_eq!(Source::read(&bytes), Some(source));
    }
}

#[test]
fn the_source_is_the_first_header() {
    let mut bytes = Vec::new();
    let source = Source {
        topic: "lidar",
        partition: 2,
        offset: 99,
        timestamp: Some(5),
        time: 4,
        key: SourceKey::None,
    };
    source.write(&mut bytes);
    let mut headers = Headers::new();
    headers.push(SOURCE, bytes.clone());
    headers.push("other", "x");
    assert_eq!(Source::of(HeadersRef::from(&headers)), Some(source));
    let mut headers = Headers::new();
    headers.push("other", "x");
    headers.push(SOURCE, bytes);
    assert_eq!(Source::of(HeadersRef::from(&headers)), None, "one that came along with the record");
}

proptest! {
    #[test]
    fn sources_come_back(topic in "[a-z.]{1,20}", partition in 0..i32::MAX, offset in 0..i64::MAX, timestamp in any::<Option<i64>>(), time in any::<i64>(), key in any::<Option<Vec<u8>>>()) {
        prop_assume!(timestamp != Some(i64::MIN));
        let key = SourceKey::new(key.as_deref(), b"window's");
        let source = Source { topic: &topic, partition, offset, timestamp, time, key };
        let mut bytes = Vec::new();
        source.write(&mut bytes);
        prop_assert_eq!(Source::read(&bytes), Some(source));
        prop_assert_eq!(Source::read(&bytes[..27]), None);
    }

    #[test]
    fn foreign_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Source::read(&bytes);
        let _ = Control::read(&bytes);
    }
}
