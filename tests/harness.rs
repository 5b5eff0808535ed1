//! The tests' own view of a topic: what is written raw is read raw.

mod common;

use common::{Raw, Record, Tail, cluster};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_unchanged() {
    let config = cluster();
    let mut tail = Tail::at_end(&config, "harness.plain").await;
    let raw = Raw::new(&config);
    let record = Record::to("harness.plain")
        .key([0, 255])
        .value("text")
        .header("a", "1")
        .header("a", [0xff, 0x00])
        .header("empty", "")
        .null_header("null")
        .partition(2)
        .timestamp(1_700_000_000_123);
    let (partition, offset) = raw.send(record.clone()).await;
    assert_eq!(partition, 2);
    assert_eq!(tail.one().await, Record { offset, ..record });

    raw.send(Record::to("harness.plain").partition(0)).await;
    let tombstone = tail.one().await;
    assert_eq!((tombstone.key, tombstone.value), (None, None));
    assert_eq!(tail.next(std::time::Duration::from_millis(1)).await, None);
}
