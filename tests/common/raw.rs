//! Records written as any other program may write them.

use std::sync::Arc;

use fusion::Config;
use rdkafka::{
    ClientContext, Message, Timestamp,
    error::KafkaError,
    message::{BorrowedMessage, DeliveryResult, Header, Headers as _, OwnedHeaders},
    producer::{BaseRecord, ProducerContext, ThreadedProducer},
};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{SOON, create, patiently, within};

/// A record, on its way out or as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub partition: Option<i32>,
    /// Where it was read; nothing on the way out.
    pub offset: i64,
    pub timestamp: Option<i64>,
}

impl Record {
    /// A record for this topic, with nothing in it: a tombstone without a key.
    pub fn to(topic: impl Into<String>) -> Record {
        Record { topic: topic.into(), ..Record::default() }
    }

    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Record {
        self.key = Some(key.into());
        self
    }

    pub fn value(mut self, value: impl Into<Vec<u8>>) -> Record {
        self.value = Some(value.into());
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Record {
        self.headers.push((name.to_owned(), Some(value.into())));
        self
    }

    /// A header without a value, which is not an empty one.
    pub fn null_header(mut self, name: &str) -> Record {
        self.headers.push((name.to_owned(), None));
        self
    }

    pub fn partition(mut self, partition: i32) -> Record {
        self.partition = Some(partition);
        self
    }

    /// Milliseconds since 1970.
    pub fn timestamp(mut self, millis: i64) -> Record {
        self.timestamp = Some(millis);
        self
    }

    /// The last header of this name. Panics when there is none.
    #[track_caller]
    pub fn get(&self, name: &str) -> &[u8] {
        let found = self.all(name).pop();
        let Some(value) = found else { panic!("no header `{name}` among {:?}", self.header_names()) };
        value.unwrap_or_else(|| panic!("the header `{name}` has no value"))
    }

    /// The last header of this name as text.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.get(name)).unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other == name)
    }

    /// All headers of this name, in order.
    pub fn all(&self, name: &str) -> Vec<Option<&[u8]>> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_deref()).collect()
    }

    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The value as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value = self.value.as_deref().expect("a value");
        serde_json::from_slice(value).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(value));
        })
    }

    pub(super) fn read(message: &BorrowedMessage<'_>) -> Record {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Record {
            topic: message.topic().to_owned(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
            partition: Some(message.partition()),
            offset: message.offset(),
            timestamp: match message.timestamp() {
                Timestamp::NotAvailable => None,
                Timestamp::CreateTime(millis) | Timestamp::LogAppendTime(millis) => Some(millis),
            },
        }
    }
}

/// Where a record was written.
pub type Delivered = Result<(i32, i64), KafkaError>;

struct Reports;

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<oneshot::Sender<Delivered>>;

    fn delivery(&self, result: &DeliveryResult<'_>, tell: Self::DeliveryOpaque) {
        let delivered = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        let _ = tell.send(delivered);
    }
}

/// A producer that sends any bytes there are.
#[derive(Clone)]
pub struct Raw {
    config: Config,
    client: Arc<ThreadedProducer<Reports>>,
}

impl Raw {
    pub fn new(config: &Config) -> Raw {
        let mut client = config.admin().unwrap();
        client.set("linger.ms", "0").set("partitioner", "murmur2_random").set("message.max.bytes", "8000000");
        Raw { config: config.clone(), client: Arc::new(client.create_with_context(Reports).unwrap()) }
    }

    /// Writes a record, to a topic that is created when there is none, and says to which partition and offset.
    #[track_caller]
    pub fn send(&self, record: Record) -> impl Future<Output = (i32, i64)> {
        let delivered = within(SOON, self.clone().deliver(record));
        async move { delivered.await.unwrap() }
    }

    /// Writes a record to a topic that exists.
    pub async fn deliver(self, record: Record) -> Delivered {
        create(&self.config, &[&record.topic], 4).await;
        self.queue(&record).await.expect("a delivery report")
    }

    /// Hands over a record for a topic that exists, so that many can be on their way.
    pub fn queue(&self, record: &Record) -> oneshot::Receiver<Delivered> {
        let (tell, told) = oneshot::channel();
        let mut base = BaseRecord::<[u8], [u8], _>::with_opaque_to(&record.topic, Box::new(tell));
        base.key = record.key.as_deref();
        base.payload = record.value.as_deref();
        base.partition = record.partition;
        base.timestamp = record.timestamp;
        if !record.headers.is_empty() {
            let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_deref() })
            });
            base = base.headers(headers);
        }
        let mut left = Some(base);
        patiently(|| {
            let Some(base) = left.take() else { return Ok(()) };
            self.client.send(base).map_err(|(error, back)| {
                // Until the client has room again.
                let full = error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull);
                assert!(full, "{error}");
                left = Some(back);
                error
            })
        });
        told
    }
}
