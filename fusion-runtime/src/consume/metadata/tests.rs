//! Nothing that anybody may commit is taken for ours, and nothing makes the reader panic.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;

fn runs_of(offsets: &std::collections::BTreeSet<i64>) -> Vec<Range<i64>> {
    let mut runs: Vec<Range<i64>> = Vec::new();
    for &offset in offsets {
        match runs.last_mut() {
            Some(last) if last.end == offset => last.end += 1,
            _ => runs.push(offset..offset + 1),
        }
    }
    runs
}

fn any_field() -> impl Strategy<Value = Field> {
    prop_oneof![
        any::<i64>().prop_map(Field::Offset),
        any::<i64>().prop_map(Field::Number),
        ".{0,12}".prop_map(Field::Text),
        vec(any::<u8>(), 0..20).prop_map(Field::Bytes),
        btree_set(0_i64..400, 0..60).prop_map(|set| Field::Finished(runs_of(&set))),
    ]
}

fn any_metadata() -> impl Strategy<Value = CommitMetadata> {
    let fields = proptest::collection::btree_map("[a-z][a-z0-9_]{0,15}", any_field(), 0..6);
    (0_i64..1 << 40, fields).prop_map(|(offset, fields)| {
        let fields = fields.into_iter().map(|(name, field)| match field {
            Field::Finished(runs) => {
                let moved = runs.iter().map(|run| run.start + offset..run.end + offset).collect();
                (name, Field::Finished(moved))
            }
            field => (name, field),
        });
        CommitMetadata { offset, fields: fields.collect() }
    })
}

fn sample() -> CommitMetadata {
    let mut metadata = CommitMetadata::new(1500);
    metadata.set_offset("n", 1511);
    metadata.set_offset("h", 1620);
    metadata.set_number("t", -1);
    metadata.set_text("nonce", "7b 9%");
    metadata.set_bytes("raw", [0, 255]);
    metadata.set_finished("done", &[1502..1505, 1510..1511]);
    metadata
}

#[test]
fn it_is_one_line_of_ascii_that_others_can_read() {
    let text = sample().encode();
    let body = "1500 done=*ARwE h=@1620 n=@1511 nonce='7b%209%25 raw=%AP8 t=#-1";
    assert_eq!(text, format!("fusion1 {:08x} {body}", bytes::crc32(body.as_bytes())));
    assert!(text.is_ascii() && text.len() <= MOST_BYTES);
    assert_eq!(bytes::crc32(b"123456789"), 0xCBF4_3926, "the checksum is the one everybody knows");
}

#[test]
fn it_counts_only_for_its_own_offset_and_log() {
    let text = sample().encode();
    let accept = |committed, end| CommitMetadata::accept(text.as_bytes(), committed, end);
    assert_eq!(accept(1500, 1620), Ok(sample()));
    assert_eq!(accept(1499, 1620), Err(MetadataFault::Moved { of: 1500, committed: 1499 }));
    assert_eq!(accept(1500, 1619), Err(MetadataFault::BeyondEnd { offset: 1620, end: 1619 }));
    let bare = CommitMetadata::new(7).encode();
    assert_eq!(
        CommitMetadata::accept(bare.as_bytes(), 7, 6),
        Err(MetadataFault::BeyondEnd { offset: 7, end: 6 })
    );
    let mut finished = CommitMetadata::new(7);
    finished.set_finished("done", &[9..15, 15..20]);
    assert_eq!(
        CommitMetadata::accept(finished.encode().as_bytes(), 7, 19),
        Err(MetadataFault::BeyondEnd { offset: 20, end: 19 })
    );
}

#[test]
fn what_others_wrote_is_refused_by_name() {
    let refused = |metadata: &[u8]| CommitMetadata::accept(metadata, 0, 100).unwrap_err();
    assert_eq!(refused(b""), MetadataFault::Missing);
    // Kafka Streams, parallel-consumer, a tool's note, bytes that are no text.
    for foreign in [&b"AQAAAZCq6w=="[..], b"l8iWvqA", b"{\"by\":\"kafka-ui\"}", b"\xff\xfe\x00", b"Fusion1 "]
    {
        assert_eq!(refused(foreign), MetadataFault::Foreign);
    }
    assert_eq!(refused(b"fusion2 00000000 0"), MetadataFault::Version);
    assert_eq!(refused(b"fusion1"), MetadataFault::Damaged);
    assert_eq!(refused(b"fusion1 \xff"), MetadataFault::Damaged);
}

/// There is one way to write a commit; others with a right checksum are still not ours.
#[test]
fn other_spellings_are_refused() {
    for body in
        ["+5", "05", "5 ", "5 a=@+1", "5 b=@1 a=@1", "5 a=@1 a=@1", "5 a='%41", "5 a=%AQ=", "5 a=*AAAA"]
    {
        let text = format!("{TAG} {:08x} {body}", bytes::crc32(body.as_bytes()));
        assert_eq!(CommitMetadata::decode(text.as_bytes()), Err(MetadataFault::Damaged), "{body}");
    }
}

#[test]
fn the_shorter_form_is_taken() {
    let every_other: Vec<_> = (0..200).map(|index| 2 * index..2 * index + 1).collect();
    assert_eq!(finished::encode(0, &every_other).len(), 51, "a bitmap");
    assert_eq!(finished::encode(0, &[0..1_000_000, 1_000_001..1_000_002]).len(), 7, "runs");
    let far: Vec<_> = (0..200).map(|index| index << 40..(index << 40) + 1).collect();
    assert_eq!(finished::decode(0, &finished::encode(0, &far)), Some(far));
}

#[test]
fn a_refusal_is_counted_once_and_no_commit_is_none() {
    let counters = Counters::new();
    let mut committed =
        Committed { topic: "orders".into(), partition: 3, offset: None, metadata: Vec::new(), error: None };
    assert_eq!(left_behind(&committed, 2000, &counters), None);
    assert_eq!(counters.read().get(Count::MetadataRefused), 0);
    committed.offset = Some(1500);
    assert_eq!(left_behind(&committed, 2000, &counters), None);
    assert_eq!(counters.read().get(Count::MetadataRefused), 1);
    committed.metadata = sample().encode().into_bytes();
    assert_eq!(left_behind(&committed, 2000, &counters), Some(sample()));
    assert_eq!(counters.read().get(Count::MetadataRefused), 1);
}

proptest! {
    #[test]
    fn what_is_written_is_read(metadata in any_metadata()) {
        let text = metadata.encode();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        prop_assert_eq!(CommitMetadata::decode(text.as_bytes()), Ok(metadata));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..200), committed: i64, end: i64) {
        prop_assert!(CommitMetadata::accept(&bytes, committed, end).is_err());
    }

    /// With a right checksum, so that the fields are looked at too.
    #[test]
    fn any_fields_are_read_without_a_panic(body in "-?[0-9]{0,20}( [a-z=@#'%*A-Za-z0-9_-]{0,12}){0,4}") {
        let text = format!("{TAG} {:08x} {body}", bytes::crc32(body.as_bytes()));
        if let Ok(read) = CommitMetadata::decode(text.as_bytes()) {
            prop_assert_eq!(read.encode(), text);
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed(metadata in any_metadata(), at: prop::sample::Index, bit in 0..8) {
        let mut bytes = metadata.encode().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(CommitMetadata::decode(&bytes).is_err());
    }

    #[test]
    fn a_cut_is_noticed(metadata in any_metadata(), at: prop::sample::Index) {
        let text = metadata.encode();
        let cut = &text.as_bytes()[..at.index(text.len())];
        prop_assert!(CommitMetadata::decode(cut).is_err());
    }

    #[test]
    fn finished_offsets_survive_either_form(base in 0_i64..1 << 50, set in btree_set(0_i64..3000, 0..300)) {
        let runs: Vec<_> = runs_of(&set).iter().map(|run| run.start + base..run.end + base).collect();
        prop_assert_eq!(finished::decode(base, &finished::encode(base, &runs)), Some(runs));
    }

    #[test]
    fn any_finished_bytes_are_read_without_a_panic(base: i64, bytes in vec(any::<u8>(), 0..40)) {
        if let Some(runs) = finished::decode(base, &bytes) {
            for run in &runs {
                prop_assert!(run.start >= base && run.start <= run.end);
            }
        }
    }
}
