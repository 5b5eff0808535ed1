//! Batches, wake-ups and bytes, on the embedded broker.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::*;
use crate::broker::{Config, EmbeddedKafka, GroupProtocol};
use crate::produce::{Outgoing, Producer, Receipt};

/// A hook that forwards to our queue before it assigns.
#[derive(Default)]
struct Forwarding {
    to: OnceLock<Forwarder>,
    assigned: Mutex<BTreeSet<i32>>,
}

impl ClientContext for Forwarding {}

impl ConsumerContext for Forwarding {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let incremental = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let mut assigned = self.assigned.lock().unwrap();
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            for element in list.elements() {
                let to = self.to.get().unwrap();
                assert!(to.forward(consumer, element.topic(), element.partition()));
                assigned.insert(element.partition());
            }
            list.set_all_offsets(Offset::Beginning).unwrap();
            let done = if incremental { consumer.incremental_assign(list) } else { consumer.assign(list) };
            done.unwrap();
        } else {
            for element in list.elements() {
                assigned.remove(&element.partition());
            }
            let done = if incremental { consumer.incremental_unassign(list) } else { consumer.unassign() };
            done.unwrap();
        }
    }
}

/// The consumer of an owner thread, as small as it gets.
struct Reader {
    queue: OwnQueue,
    wake: WakeGuard,
    consumer: Arc<BaseConsumer<Forwarding>>,
}

impl Reader {
    fn join(config: &Config, topic: &str) -> Reader {
        let mut client = config.group_consumer("readers").unwrap();
        client.set("enable.partition.eof", "true");
        let consumer: Arc<BaseConsumer<_>> =
            Arc::new(client.create_with_context(Forwarding::default()).unwrap());
        let mut queue = OwnQueue::new(&consumer);
        queue.wake(thread::current());
        assert!(consumer.context().to.set(queue.forwarder()).is_ok());
        let wake = WakeGuard::for_consumer(&consumer, thread::current());
        consumer.subscribe(&[topic]).unwrap();
        Reader { queue, wake, consumer }
    }

    /// Serves events and takes messages until `done` with all that came so far.
    fn read(&mut self, what: &str, mut done: impl FnMut(&Self, &[Message]) -> bool) -> Vec<Message> {
        let mut messages = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            while self.wake.pending() > 0 {
                if let Some(Ok(message)) = self.consumer.poll(Duration::ZERO) {
                    panic!("a message came out of the consumer's own queue: {message:?}");
                }
            }
            let taken = self.queue.take(1024, &mut messages);
            if done(self, &messages) {
                return messages;
            }
            assert!(Instant::now() < deadline, "{what} did not happen");
            if taken == 0 {
                thread::park_timeout(Duration::from_millis(100));
            }
        }
    }
}

fn records(messages: &[Message]) -> usize {
    messages.iter().filter(|message| message.error().is_none()).count()
}

/// Without the ends of partitions, which may come first.
fn only_records(mut messages: Vec<Message>) -> Vec<Message> {
    messages.retain(|message| message.error().is_none());
    messages
}

fn broker(protocol: GroupProtocol, topic: &str, partitions: i32) -> Config {
    let broker = EmbeddedKafka::start().unwrap();
    broker.create_topic(topic, partitions).unwrap();
    Config::with_embedded(Arc::new(broker)).group_protocol(protocol)
}

#[test]
fn a_group_reads_through_an_own_queue() {
    for protocol in [GroupProtocol::Classic, GroupProtocol::Consumer] {
        let config = broker(protocol, "orders", 3);
        let producer = Producer::start(&config).unwrap();
        for n in 0..300_i32 {
            let (key, value) = (n.to_string(), n.to_be_bytes());
            let record =
                Outgoing { key: Some(key.as_bytes()), value: Some(&value), ..Outgoing::to("orders") };
            producer.send(record, Receipt::Ignore).unwrap();
        }
        let mut reader = Reader::join(&config, "orders");
        let messages = reader.read("300 records", |_, messages| records(messages) >= 300);
        let mut seen: Vec<i32> = messages
            .iter()
            .filter(|message| message.error().is_none())
            .map(|message| i32::from_be_bytes(message.value().unwrap().try_into().unwrap()))
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..300).collect::<Vec<_>>(), "{protocol:?}");
        assert!(messages.iter().all(|message| message.topic() == "orders"));
        assert_eq!(reader.queue.live(), messages.len());
        drop(messages);
        assert_eq!(reader.queue.live(), 0);

        // Each partition's end is told.
        let mut ends = BTreeSet::new();
        producer.send(Outgoing { partition: Some(1), ..Outgoing::to("orders") }, Receipt::Ignore).unwrap();
        reader.read("an end", |_, messages| {
            let at_end = |message: &&Message| message.error() == Some(MessageError::EndOfPartition);
            ends.extend(messages.iter().filter(at_end).map(Message::partition));
            ends.contains(&1)
        });
    }
}

#[test]
fn messages_keep_every_byte() {
    let config = broker(GroupProtocol::Consumer, "bytes", 1);
    let producer = Producer::start(&config).unwrap();
    let headers: &[(&[u8], Option<&[u8]>)] = &[
        (b"kind", Some(b"first")),
        (b"kind", Some(b"again")),
        (b"binary", Some(&[0, 255, 0])),
        (b"null", None),
        (b"empty", Some(b"")),
        (b"", Some(b"nameless")),
    ];
    let send = |record| producer.send(record, Receipt::Ignore).unwrap();
    let to = Outgoing::to("bytes");
    send(Outgoing { key: Some(b"k\0"), value: Some(b"v\xff"), headers, timestamp: Some(1_234_567), ..to });
    send(Outgoing { key: Some(b"k"), ..to });
    send(Outgoing { value: Some(b""), ..to });
    send(Outgoing { key: Some(b""), value: Some(b"x"), ..to });

    let mut reader = Reader::join(&config, "bytes");
    let messages = only_records(reader.read("4 records", |_, messages| records(messages) >= 4));
    let first = &messages[0];
    assert_eq!((first.key(), first.value()), (Some(&b"k\0"[..]), Some(&b"v\xff"[..])));
    assert_eq!(first.timestamp_millis(), Some(1_234_567));
    assert_eq!((first.partition(), first.offset(), first.error()), (0, 0, None));
    let native = first.headers();
    assert_eq!((native.len(), native.is_empty()), (6, false));
    assert_eq!(native.iter().collect::<Vec<_>>(), headers);
    assert_eq!(native.get(6), None);
    assert_eq!((messages[1].key(), messages[1].value()), (Some(&b"k"[..]), None));
    assert!(messages[1].headers().is_empty() && messages[1].headers().get(0).is_none());
    assert!(messages[1].timestamp_millis().unwrap() > 1_600_000_000_000);
    assert_eq!((messages[2].key(), messages[2].value()), (None, Some(&b""[..])));
    assert_eq!((messages[3].key(), messages[3].value()), (Some(&b""[..]), Some(&b"x"[..])));
}

#[test]
fn a_message_may_be_read_and_dropped_on_another_thread() {
    let config = broker(GroupProtocol::Consumer, "far", 1);
    let producer = Producer::start(&config).unwrap();
    producer.send(Outgoing { value: Some(b"hello"), ..Outgoing::to("far") }, Receipt::Ignore).unwrap();
    let mut reader = Reader::join(&config, "far");
    let mut messages = only_records(reader.read("a record", |_, messages| records(messages) == 1));
    let message = messages.swap_remove(0);
    let value = thread::spawn(move || message.value().map(<[u8]>::to_vec)).join().unwrap();
    assert_eq!(value.as_deref(), Some(&b"hello"[..]));
    drop(messages);
    assert_eq!(reader.queue.live(), 0);
}

#[test]
fn a_message_whose_reader_panics_is_destroyed_all_the_same() {
    let config = broker(GroupProtocol::Consumer, "panic", 1);
    let producer = Producer::start(&config).unwrap();
    for _ in 0..3 {
        producer.send(Outgoing { value: Some(b"hello"), ..Outgoing::to("panic") }, Receipt::Ignore).unwrap();
    }
    let mut reader = Reader::join(&config, "panic");
    let messages = only_records(reader.read("three records", |_, messages| records(messages) == 3));
    let mut batch = Batch::from(messages);
    assert!(batch.next(|message| message.offset()).is_some());
    let panicking = std::panic::AssertUnwindSafe(|| batch.next(|_| std::panic::resume_unwind(Box::new(()))));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(batch.len(), 1);
    drop(batch);
    assert_eq!(reader.queue.live(), 0);
}

#[test]
fn a_message_that_outlives_its_consumer_stays_readable() {
    let config = broker(GroupProtocol::Consumer, "late", 1);
    let producer = Producer::start(&config).unwrap();
    producer.send(Outgoing { value: Some(b"hello"), ..Outgoing::to("late") }, Receipt::Ignore).unwrap();
    let mut reader = Reader::join(&config, "late");
    let messages = only_records(reader.read("a record", |_, messages| records(messages) == 1));
    let forwarder = reader.queue.forwarder();
    drop(reader);
    assert_eq!(messages[0].value(), Some(&b"hello"[..]));
    drop(messages);
    drop(forwarder);
}

#[test]
fn a_parked_thread_wakes_for_a_record() {
    let config = broker(GroupProtocol::Consumer, "bell", 1);
    let producer = Producer::start(&config).unwrap();
    let (ready, is_ready) = mpsc::channel();
    let theirs = config.clone();
    let reader = thread::spawn(move || {
        let mut reader = Reader::join(&theirs, "bell");
        let at_end = |messages: &[Message]| {
            messages.iter().any(|message| message.error() == Some(MessageError::EndOfPartition))
        };
        reader.read("the first end", |_, messages| at_end(messages));
        ready.send(()).unwrap();
        // No ticks: only the callback ends these parks.
        let mut messages = Vec::new();
        let start = Instant::now();
        while records(&messages) == 0 && start.elapsed() < Duration::from_secs(20) {
            while reader.wake.pending() > 0 {
                reader.consumer.poll(Duration::ZERO);
            }
            if reader.queue.take(16, &mut messages) == 0 {
                thread::park_timeout(Duration::from_secs(20));
            }
        }
        start.elapsed()
    });
    is_ready.recv_timeout(Duration::from_secs(30)).unwrap();
    producer.send(Outgoing::to("bell"), Receipt::Ignore).unwrap();
    assert!(reader.join().unwrap() < Duration::from_secs(10));
}

#[test]
fn an_offset_that_is_gone_is_an_error_of_its_partition() {
    let config = broker(GroupProtocol::Consumer, "short", 1);
    let client = config.assigned_consumer("readers").unwrap();
    let consumer: Arc<BaseConsumer<Forwarding>> =
        Arc::new(client.create_with_context(Forwarding::default()).unwrap());
    let mut queue = OwnQueue::new(&consumer);
    queue.wake(thread::current());
    assert!(queue.forwarder().forward(&consumer, "short", 0));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("short", 0, Offset::Offset(99)).unwrap();
    consumer.assign(&list).unwrap();
    let wake = WakeGuard::for_consumer(&consumer, thread::current());
    let mut messages = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(20);
    while messages.is_empty() && Instant::now() < deadline {
        while wake.pending() > 0 {
            consumer.poll(Duration::ZERO);
        }
        if queue.take(16, &mut messages) == 0 {
            thread::park_timeout(Duration::from_millis(100));
        }
    }
    assert_eq!(messages[0].error(), Some(MessageError::OffsetOutOfRange));
    assert_eq!((messages[0].partition(), messages[0].topic()), (0, "short"));
    assert!(messages[0].value().is_none() && !messages[0].error_text().is_empty());
}

#[test]
fn the_end_of_a_partition_is_no_record() {
    let config = broker(GroupProtocol::Consumer, "ends", 1);
    let mut client = config.group_consumer("readers").unwrap();
    client.set("enable.partition.eof", "true");
    let consumer: Arc<BaseConsumer<Forwarding>> =
        Arc::new(client.create_with_context(Forwarding::default()).unwrap());
    let mut queue = OwnQueue::new(&consumer);
    queue.wake(thread::current());
    assert!(queue.forwarder().forward(&consumer, "ends", 0));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("ends", 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let wake = WakeGuard::for_consumer(&consumer, thread::current());
    let mut reader = Reader { queue, wake, consumer };
    let producer = Producer::start(&config).unwrap();
    for end in 0..3 {
        let messages = reader.read("the end", |_, messages| {
            messages.last().is_some_and(|message| message.error().is_some() && message.offset() >= end)
        });
        let offsets: Vec<i64> = only_records(messages).iter().map(Message::offset).collect();
        assert_eq!(offsets, Vec::from_iter((end - 1).max(0)..end));
        let position = reader.consumer.position().unwrap().elements()[0].offset();
        assert_eq!(position, if end == 0 { Offset::Invalid } else { Offset::Offset(end) });
        producer.send(Outgoing { value: Some(b"next"), ..Outgoing::to("ends") }, Receipt::Ignore).unwrap();
    }
}

#[test]
fn a_partition_that_nobody_takes_from_holds_up_no_other() {
    let config = broker(GroupProtocol::Consumer, "apart", 2);
    let client = config.assigned_consumer("readers").unwrap();
    let consumer: Arc<BaseConsumer<Forwarding>> =
        Arc::new(client.create_with_context(Forwarding::default()).unwrap());
    let split = |partition| PartitionQueue::split(&consumer, "apart", partition, thread::current());
    let queues = [split(0).unwrap(), split(1).unwrap()];
    assert!(PartitionQueue::split(&consumer, "a\0b", 0, thread::current()).is_none());
    let mut list = TopicPartitionList::new();
    for partition in [0, 1] {
        list.add_partition_offset("apart", partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let producer = Producer::start(&config).unwrap();
    for number in 0..40 {
        let outgoing =
            Outgoing { partition: Some(number % 2), value: Some(b"next"), ..Outgoing::to("apart") };
        producer.send(outgoing, Receipt::Ignore).unwrap();
    }
    let mut taker = Taker::new(&consumer);
    let mut read = |queue: &PartitionQueue| {
        let (mut messages, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(30));
        while messages.len() < 20 {
            assert!(Instant::now() < deadline, "{} messages came", messages.len());
            consumer.poll(Duration::ZERO);
            // It has rung if anything came since it was empty.
            if queue.has_rung() && taker.take(queue, 7, &mut messages) == 7 {
                queue.ring();
            } else {
                thread::park_timeout(Duration::from_millis(100));
            }
        }
        assert_eq!(taker.live(), 20);
        messages.into_iter().map(|message| (message.partition(), message.offset())).collect::<Vec<_>>()
    };
    for (partition, queue) in [1, 0].into_iter().zip([&queues[1], &queues[0]]) {
        assert_eq!(read(queue), Vec::from_iter((0..20).map(|offset| (partition, offset))));
    }
}

#[test]
fn a_forwarder_serves_only_its_own_client() {
    let config = broker(GroupProtocol::Consumer, "own", 1);
    let make = || -> Arc<BaseConsumer<Forwarding>> {
        let client = config.group_consumer("readers").unwrap();
        Arc::new(client.create_with_context(Forwarding::default()).unwrap())
    };
    let (one, two) = (make(), make());
    let queue = OwnQueue::new(&one);
    let forwarder = queue.forwarder();
    assert!(forwarder.forward(&one, "own", 0));
    assert!(!forwarder.forward(&two, "own", 0));
    assert!(!forwarder.forward(&one, "a\0b", 0));
    drop(queue);
    assert!(!forwarder.forward(&one, "own", 0));
}

/// rust-rdkafka's own accessors panic on the second of these.
#[test]
fn any_bytes_beside_an_offset_are_kept() {
    let config = broker(GroupProtocol::Consumer, "kept", 3);
    let client = config.assigned_consumer("keepers").unwrap();
    let consumer: Arc<BaseConsumer<Forwarding>> =
        Arc::new(client.create_with_context(Forwarding::default()).unwrap());
    let mut commits = Commits::new(&consumer);
    let mut offsets = Offsets::new();
    offsets.set("kept", 0, 1, b"replaced").unwrap();
    offsets.set("kept", 0, 7, b"a text").unwrap();
    offsets.set("kept", 1, 8, b"\xff\0\xfe").unwrap();
    assert_eq!(offsets.set("a\0b", 0, 1, b""), Err(rdkafka::types::RDKafkaErrorCode::InvalidTopic));
    assert_eq!((offsets.len(), format!("{offsets:?}").as_str()), (2, "Offsets { partitions: 2, .. }"));
    commits.send_offsets(&offsets).unwrap();
    assert_eq!(commits.outcome(Duration::from_secs(20)), Some(Ok(())));
    let all = committed(&consumer, (0..3).map(|partition| ("kept", partition)), Duration::from_secs(20));
    let all: Vec<_> = all.unwrap().into_iter().map(|known| (known.offset, known.metadata)).collect();
    assert_eq!(all, [(Some(7), b"a text".to_vec()), (Some(8), b"\xff\0\xfe".to_vec()), (None, Vec::new())]);
}

#[test]
fn a_consumer_without_a_group_shows_nothing() {
    let config = broker(GroupProtocol::Consumer, "alone", 1);
    let consumer: BaseConsumer = config.assigned_consumer("nobody").unwrap().create().unwrap();
    assert_eq!(GroupMetadata::of(&consumer), None);
    let named = GroupMetadata::named("orders", 3, "me").unwrap();
    assert_eq!((named.group(), named.member(), named.generation()), ("orders", "me", 3));
    assert_ne!(Some(named), GroupMetadata::named("orders", 4, "me"));
    assert_eq!(GroupMetadata::named("a\0b", 3, "me"), None);
}
