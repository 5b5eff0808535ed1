//! Records and offsets that are committed together, and who is kept out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fusion::{Config, Count};
use fusion_runtime::{
    broker::ffi::{self, Commits, Committed, Offsets, transactions as calls},
    produce::{
        Outgoing,
        transactions::{Batch, CommitMetadata, GroupMetadata, MetadataFault, Outcome, Transactions},
    },
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    producer::BaseProducer,
};

use crate::common::{Record, SOON, Tail, cluster, create, eventually, unique, within};

/// A member of a group that reads and does nothing, as long as it lives.
struct Member {
    consumer: Arc<BaseConsumer>,
    over: Arc<AtomicBool>,
}

impl Member {
    fn join(config: &Config, group: &str, topic: &str) -> Member {
        let consumer: BaseConsumer = config.group_consumer(group).unwrap().create().unwrap();
        consumer.subscribe(&[topic]).unwrap();
        let member = Member { consumer: Arc::new(consumer), over: Arc::default() };
        let (consumer, over) = (member.consumer.clone(), member.over.clone());
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                consumer.poll(Duration::from_millis(20));
            }
        });
        member
    }

    /// What it shows once its group is past this generation.
    async fn metadata(&self, past: i32) -> GroupMetadata {
        // A generation is known before its partitions are, and until then the broker takes no plain commit.
        let assigned = || self.consumer.assignment().is_ok_and(|partitions| partitions.count() > 0);
        let now =
            || GroupMetadata::of(&self.consumer).filter(|group| group.generation() > past && assigned());
        let mut found = None;
        eventually(SOON, || {
            found = now();
            found.is_some()
        })
        .await;
        found.unwrap()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

struct Story {
    config: Config,
    group: String,
    source: String,
    results: String,
    member: Member,
    transactions: Transactions,
}

impl Story {
    async fn begin(name: &str) -> Story {
        let config = cluster();
        let (group, source, results) = (unique(name), unique("source"), unique("results"));
        create(&config, &[&source], 2).await;
        create(&config, &[&results], 1).await;
        let member = Member::join(&config, &group, &source);
        let transactions = Transactions::start(&config, &group, &member.consumer).unwrap();
        within(SOON, transactions.ready()).await.unwrap();
        assert!(transactions.is_exactly_once());
        Story { config, group, source, results, member, transactions }
    }

    /// One record, `value`, and this offset of the source's partition 0.
    fn batch(&self, group: &GroupMetadata, offset: i64, value: &str) -> Batch {
        let mut batch = Batch::new(group.clone());
        let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"\xff")), (b"h", None)];
        let record = Outgoing {
            key: Some(b"k"),
            value: Some(value.as_bytes()),
            headers,
            timestamp: Some(7),
            ..Outgoing::to(&self.results)
        };
        batch.push(&record);
        let mut metadata = CommitMetadata::new(offset);
        metadata.set_text("nonce", value);
        batch.commit(&self.source, 0, 1, metadata);
        batch
    }

    fn committed(&self) -> Committed {
        let reader: BaseConsumer = self.config.assigned_consumer(&self.group).unwrap().create().unwrap();
        let all = ffi::committed(&reader, [(&*self.source, 0)], SOON).unwrap();
        assert_eq!(all[0].error, None);
        all[0].clone()
    }

    /// What the committed offset says.
    fn kept(&self) -> (i64, String) {
        let committed = self.committed();
        let offset = committed.offset.unwrap();
        let metadata = CommitMetadata::accept(&committed.metadata, offset, i64::MAX).unwrap();
        (offset, metadata.text("nonce").unwrap().to_owned())
    }

    /// The results that count, up to now.
    async fn results(&self) -> Vec<String> {
        // Whatever counts stands before it.
        let end = self.transactions.submit(self.batch(&self.member.metadata(-1).await, 1000, "end"));
        assert_eq!(within(SOON, end).await, Ok(Outcome::Committed));
        let mut tail = Tail::at_start(&self.config, &self.results).await;
        let mut seen = Vec::new();
        loop {
            let value = text(&tail.one().await);
            if value == "end" {
                return seen;
            }
            seen.push(value);
        }
    }

    /// How often each result stands in the log, whether it counts or not.
    async fn written(&self) -> BTreeMap<String, usize> {
        let mut client = self.config.assigned_consumer("written").unwrap();
        client.set("isolation.level", "read_uncommitted").set("enable.partition.eof", "true");
        let client: BaseConsumer = client.create().unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(&self.results, 0, Offset::Beginning).unwrap();
        client.assign(&partitions).unwrap();
        let mut written = BTreeMap::new();
        tokio::task::spawn_blocking(move || {
            use rdkafka::Message as _;
            loop {
                match client.poll(SOON).expect("the end of the partition") {
                    Ok(message) => {
                        let value = String::from_utf8(message.payload().unwrap().to_vec()).unwrap();
                        *written.entry(value).or_default() += 1;
                    }
                    Err(_) => return written,
                }
            }
        })
        .await
        .unwrap()
    }

    async fn end(self) {
        within(SOON, self.transactions.close(Instant::now() + SOON)).await;
    }
}

fn text(record: &Record) -> String {
    String::from_utf8(record.value.clone().unwrap()).unwrap()
}

pub async fn what_is_committed_counts_once() {
    let story = Story::begin("committed").await;
    let group = story.member.metadata(-1).await;
    let pending: Vec<_> = (1..=20)
        .map(|offset| story.transactions.submit(story.batch(&group, offset, &format!("v{offset}"))))
        .collect();
    for pending in pending {
        assert_eq!(within(SOON, pending).await, Ok(Outcome::Committed));
    }
    assert_eq!(story.kept(), (20, "v20".to_owned()));
    let mut tail = Tail::at_start(&story.config, &story.results).await;
    let records = tail.take(20).await;
    let expected: Vec<_> = (1..=20).map(|offset| format!("v{offset}")).collect();
    assert_eq!(records.iter().map(text).collect::<Vec<_>>(), expected);
    let first = &records[0];
    assert_eq!((first.key.as_deref(), first.timestamp), (Some(&b"k"[..]), Some(7)));
    assert_eq!(first.all("h"), [Some(&b"\xff"[..]), None]);
    let metrics = story.transactions.metrics();
    assert!(metrics.get(Count::TransactionsCommitted) < 20, "what waits goes together: {metrics:?}");
    assert_eq!(story.results().await, expected);
    story.end().await;
}

/// The group moves on between the work and its commit: the broker refuses the old generation, and the same bytes go under
/// the new one.
pub async fn an_abort_repeats_the_same_batch() {
    let story = Story::begin("abort").await;
    let old = story.member.metadata(-1).await;
    let other = Member::join(&story.config, &story.group, &story.source);
    let new = story.member.metadata(old.generation()).await;
    let pending = story.transactions.submit(story.batch(&old, 5, "v"));
    eventually(SOON, || story.transactions.metrics().get(Count::TransactionsAborted) > 0).await;
    story.transactions.regroup(new);
    assert_eq!(within(SOON, pending).await, Ok(Outcome::Committed));
    assert_eq!(story.kept(), (5, "v".to_owned()));
    assert_eq!(story.results().await, ["v"]);
    drop(other);
    story.end().await;
}

pub async fn a_zombie_commits_nothing() {
    let story = Story::begin("zombie").await;
    let old = story.member.metadata(-1).await;
    let other = Member::join(&story.config, &story.group, &story.source);
    story.member.metadata(old.generation()).await;
    let zombie = story.transactions.submit(story.batch(&old, 5, "zombie"));
    eventually(SOON, || story.transactions.metrics().get(Count::TransactionsAborted) > 1).await;
    assert_eq!(story.committed().offset, None);
    story.transactions.fence(&story.source, 0, 1);
    assert_eq!(within(SOON, zombie).await, Ok(Outcome::Lost));
    assert_eq!(story.committed().offset, None);
    drop(other);
    // Others of the same member are not held up, under an epoch that is not lost.
    let group = story.member.metadata(-1).await;
    story.transactions.regroup(group.clone());
    let mut batch = story.batch(&group, 6, "alive");
    batch.commit(&story.source, 0, 2, CommitMetadata::new(6));
    assert_eq!(within(SOON, story.transactions.submit(batch)).await, Ok(Outcome::Committed));
    let mut tail = Tail::at_start(&story.config, &story.results).await;
    assert_eq!(text(&tail.one().await), "alive");
    story.end().await;
}

/// Once it was committed and nobody was told, once it was not.
pub async fn an_open_outcome_ends_with_one_copy() {
    let story = Story::begin("doubt").await;
    let group = story.member.metadata(-1).await;
    story.transactions.forget_next_outcome();
    let happened = story.transactions.submit(story.batch(&group, 1, "happened"));
    assert_eq!(within(SOON, happened).await, Ok(Outcome::Committed));
    assert_eq!(story.transactions.metrics().get(Count::TransactionsInDoubt), 1);
    assert_eq!(story.written().await["happened"], 1);

    // Somebody else takes our id, and goes away again.
    let rival = story.config.transactional_producer(Some(&story.transactions.id())).unwrap();
    let rival: BaseProducer = rival.create().unwrap();
    tokio::task::spawn_blocking(move || calls::init_transactions(&rival, SOON)).await.unwrap().unwrap();
    let did_not = story.transactions.submit(story.batch(&group, 2, "did not"));
    assert_eq!(within(SOON, did_not).await, Ok(Outcome::Committed));
    assert_eq!(story.transactions.metrics().get(Count::TransactionsInDoubt), 2);
    assert_eq!(story.kept(), (2, "did not".to_owned()));
    assert_eq!(story.results().await, ["happened", "did not"]);
    story.end().await;
}

/// Committed offsets cannot be read while a transaction with them is open. Who starts in the same slot ends it; without
/// that, its time-out would, after ten seconds.
pub async fn a_restart_ends_what_was_left_open() {
    let (group, source) = (unique("restart"), unique("source"));
    let config = cluster().slot("only");
    create(&config, &[&source], 2).await;
    let member = Member::join(&config, &group, &source);
    let metadata = member.metadata(-1).await;
    let id = format!("{group}.only");
    let dead: BaseProducer = config.transactional_producer(Some(&id)).unwrap().create().unwrap();
    let mut offsets = Offsets::new();
    offsets.set(&source, 0, 3, b"left open").unwrap();
    let dead = tokio::task::spawn_blocking(move || {
        calls::init_transactions(&dead, SOON).unwrap();
        calls::begin_transaction(&dead).unwrap();
        calls::send_offsets(&dead, &offsets, &metadata, SOON).unwrap();
        dead
    });
    let dead = dead.await.unwrap();
    let open = Instant::now();
    let transactions = Transactions::start(&config, &group, &member.consumer).unwrap();
    assert_eq!(transactions.id(), id);
    within(SOON, transactions.ready()).await.unwrap();
    let reader: BaseConsumer = config.assigned_consumer(&group).unwrap().create().unwrap();
    let committed = ffi::committed(&reader, [(&*source, 0)], SOON).unwrap();
    assert_eq!((committed[0].offset, committed[0].error), (None, None));
    assert!(open.elapsed() < Duration::from_secs(8), "it waited for the time-out: {:?}", open.elapsed());
    drop(dead);
    within(SOON, transactions.close(Instant::now() + SOON)).await;
}

/// Other programs commit what they like. The broker keeps text, so what is none comes back changed.
pub async fn the_metadata_of_others_is_read_and_refused() {
    let story = Story::begin("foreign").await;
    story.member.metadata(-1).await;
    let mut commits = Commits::new(&story.member.consumer);
    for (metadata, kept, fault) in [
        (&b""[..], &b""[..], MetadataFault::Missing),
        (b"AQAAAZCq6w==", b"AQAAAZCq6w==", MetadataFault::Foreign),
        (b"a\0b\x01", b"a\0b\x01", MetadataFault::Foreign),
        (b"\xff\xfe", "\u{fffd}\u{fffd}".as_bytes(), MetadataFault::Foreign),
        (b"fusion1 \xc3", "fusion1 \u{fffd}".as_bytes(), MetadataFault::Damaged),
    ] {
        let mut offsets = Offsets::new();
        offsets.set(&story.source, 0, 5, metadata).unwrap();
        commits.send_offsets(&offsets).unwrap();
        assert_eq!(commits.outcome(SOON), Some(Ok(())));
        let committed = story.committed();
        assert_eq!((committed.offset, &*committed.metadata), (Some(5), kept));
        assert_eq!(CommitMetadata::accept(&committed.metadata, 5, 9), Err(fault));
    }
    let mut longest = CommitMetadata::new(5);
    longest.set_bytes("raw", vec![7; 2200]);
    let text = longest.encode();
    assert!((2900..=story.transactions.metadata_limit()).contains(&text.len()), "{}", text.len());
    let mut offsets = Offsets::new();
    offsets.set(&story.source, 0, 5, text.as_bytes()).unwrap();
    commits.send_offsets(&offsets).unwrap();
    assert_eq!(commits.outcome(SOON), Some(Ok(())));
    assert_eq!(CommitMetadata::accept(&story.committed().metadata, 5, 5), Ok(longest));
    drop(commits);
    story.end().await;
}
