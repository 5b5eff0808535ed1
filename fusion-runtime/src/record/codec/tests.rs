use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

fn formats() -> Vec<Format> {
    vec![
        Format::Json,
        #[cfg(feature = "msgpack")]
        Format::MessagePack,
    ]
}

fn encoded<T: Serialize + ?Sized>(format: Format, value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    format.encode(value, &mut bytes).unwrap();
    bytes
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
    amount: Option<i64>,
}

/// Fails half-way, after it wrote something.
struct Torn;

impl Serialize for Torn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};
        let mut seq = serializer.serialize_seq(Some(2))?;
        seq.serialize_element(&1)?;
        Err(S::Error::custom("torn"))
    }
}

#[test]
fn values_are_read_as_they_were_written() {
    for format in formats() {
        let order = Order { id: 7, name: "näme".into(), amount: None };
        assert_eq!(format.decode::<Order>(&encoded(format, &order)), Ok(order));
        assert_eq!(format.decode::<()>(&encoded(format, &())), Ok(()));
        assert_eq!(format.decode::<(i64, String)>(&encoded(format, &(-1, "x"))), Ok((-1, "x".into())));
    }
}

#[test]
fn text_is_borrowed() {
    for format in formats() {
        assert_eq!(format.decode::<&str>(&encoded(format, "borrowed")), Ok("borrowed"));
    }
}

#[test]
fn a_tombstone_is_null_and_no_bytes_are_nothing() {
    for format in formats() {
        assert_eq!(format.decode_value::<Option<i64>>(None), Ok(None));
        assert_eq!(format.decode_value::<()>(None), Ok(()));
        assert!(matches!(format.decode_value::<i64>(None), Err(CodecError::Decode { .. })));
        assert_eq!(format.decode_value::<Option<i64>>(Some(b"")), Err(CodecError::Empty));
        assert_eq!(format.null(), encoded(format, &()));
        assert_eq!(format.null(), encoded(format, &None::<i64>));
    }
}

#[test]
fn bytes_behind_a_value_are_an_error() {
    for (format, rest) in formats().into_iter().flat_map(|format| {
        let rests: [&[u8]; 3] =
            if format == Format::Json { [b" 2", b"}", b"\0"] } else { [&[2], &[0xc1], &[0xdc, 0xff]] };
        rests.map(|rest| (format, rest))
    }) {
        let bytes = [&encoded(format, &1), rest].concat();
        assert!(
            matches!(format.decode::<i64>(&bytes), Err(CodecError::Decode { .. })),
            "{format:?} {rest:?}"
        );
    }
}

#[test]
fn a_value_that_cannot_be_written_leaves_no_bytes() {
    for format in formats() {
        let mut bytes = b"before".to_vec();
        let error = format.encode(&Torn, &mut bytes).unwrap_err();
        assert!(error.to_string().contains("torn"), "{error}");
        assert_eq!(bytes, b"before");
    }
    let map = BTreeMap::from([((1, 2), 3)]);
    assert!(Format::Json.encode(&map, &mut Vec::new()).is_err());
}

#[test]
fn arguments_take_the_shape_that_is_asked_for() {
    for format in formats() {
        let mut args = ArgsBuf::new();
        args.begin(format);
        assert_eq!(args.finish(Shape::Values), encoded(format, &()));
        assert_eq!(args.finish(Shape::List), encoded(format, &Vec::<i64>::new()));
        args.element(&1).unwrap();
        assert_eq!(args.finish(Shape::Values), encoded(format, &1));
        assert_eq!(args.finish(Shape::List), encoded(format, &[1]));
        args.element_bytes(&encoded(format, "two"));
        assert_eq!(args.finish(Shape::Values), encoded(format, &(1, "two")));
        assert_eq!(args.finish(Shape::List), encoded(format, &(1, "two")));
        assert_eq!(args.count(), 2);
    }
}

#[test]
fn an_argument_that_fails_is_not_there() {
    for format in formats() {
        let mut args = ArgsBuf::new();
        args.begin(format);
        assert!(args.element(&Torn).is_err());
        assert_eq!(args.finish(Shape::List), encoded(format, &Vec::<i64>::new()));
        args.element(&1).unwrap();
        assert!(args.element(&Torn).is_err());
        assert_eq!(args.finish(Shape::Values), encoded(format, &1));
        args.element(&2).unwrap();
        assert_eq!(args.finish(Shape::Values), encoded(format, &[1, 2]));
    }
}

#[test]
fn starting_anew_forgets() {
    for format in formats() {
        let mut args = ArgsBuf::new();
        args.begin(Format::Json);
        args.element(&[1, 2, 3]).unwrap();
        args.finish(Shape::List);
        args.begin(format);
        args.element(&4).unwrap();
        assert_eq!(args.finish(Shape::List), encoded(format, &[4]));
    }
}

#[test]
fn json_bytes() {
    let order = Order { id: 7, name: "a\"b".into(), amount: Some(-1) };
    assert_eq!(encoded(Format::Json, &order), br#"{"id":7,"name":"a\"b","amount":-1}"#);
    assert_eq!(Format::Json.content_type(), "application/json");
}

#[cfg(feature = "msgpack")]
#[test]
fn message_pack_bytes() {
    let order = Order { id: 7, name: "ab".into(), amount: None };
    let expected = b"\x83\xa2id\x07\xa4name\xa2ab\xa6amount\xc0";
    assert_eq!(encoded(Format::MessagePack, &order), expected);
    assert_eq!(Format::MessagePack.content_type(), "application/msgpack");
}

#[test]
fn content_types() {
    assert_eq!(Format::from_content_type("application/json"), Some(Format::Json));
    assert_eq!(Format::from_content_type(" APPLICATION/json ;charset=utf-8"), Some(Format::Json));
    for unknown in ["", ";", "json", "application/jsonx", "application/vnd.order+json", "text/plain"] {
        assert_eq!(Format::from_content_type(unknown), None, "{unknown}");
    }
    for name in ["application/msgpack", "application/x-msgpack"] {
        assert_eq!(Format::from_content_type(name).is_some(), cfg!(feature = "msgpack"));
    }
    for format in formats() {
        assert_eq!(Format::from_content_type(format.content_type()), Some(format));
    }
}

#[test]
fn arrays_of_any_length() {
    for format in formats() {
        for count in [0, 1, 2, 15, 16, 17, 255, 256, 65_535, 65_536] {
            let mut args = ArgsBuf::new();
            args.begin(format);
            for _ in 0..count {
                args.element(&true).unwrap();
            }
            assert_eq!(args.finish(Shape::List), encoded(format, &vec![true; count]), "{count}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
        for format in formats() {
            let _ = format.decode::<Order>(&bytes);
            let _ = format.decode::<Vec<(String, Option<f64>)>>(&bytes);
        }
    }

    #[test]
    fn arguments_are_read_back(args: Vec<(String, i64)>) {
        for format in formats() {
            let mut buf = ArgsBuf::new();
            buf.begin(format);
            for arg in &args {
                buf.element(arg).unwrap();
            }
            prop_assert_eq!(format.decode::<Vec<(String, i64)>>(buf.finish(Shape::List)), Ok(args.clone()));
        }
    }
}
