//! A broker inside the process: librdkafka's mock cluster, which comes along anyway and starts in a millisecond.
//!
//! It keeps records, keys, headers and commits exactly, forms groups, and can be made to fail in many ways, which
//! is why the tests run on it. It is no Kafka: nothing is kept when it ends, each partition holds its last 5 MiB,
//! topics are not deleted, transactions mean nothing.

use std::fmt;
use std::thread;
use std::time::Duration;

use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaResult;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr, RDKafkaType};

use crate::Error;

use super::{ConfigError, LogContext, ffi};

/// A broker inside the process, alive as long as this handle. Any thread may use it.
///
/// It is librdkafka's mock cluster, and no Kafka: nothing is kept when it ends, a partition holds its last
/// [`RETENTION_BYTES`](EmbeddedKafka::RETENTION_BYTES), topics are not deleted, transactions mean nothing.
///
/// ```
/// use fusion::{Config, EmbeddedKafka};
/// use std::sync::Arc;
///
/// let broker = Arc::new(EmbeddedKafka::start().unwrap());
/// broker.create_topic("orders", 3).unwrap();
/// let config = Config::with_embedded(broker);
/// # assert!(config.is_embedded());
/// ```
pub struct EmbeddedKafka {
    /// A client that is never used as one: it owns the cluster, and unlike `MockCluster` any thread may have it.
    owner: Client<LogContext>,
    bootstrap: String,
}

impl EmbeddedKafka {
    /// How much of a partition is kept. What is older is dropped without a word.
    pub const RETENTION_BYTES: usize = 5 * 1024 * 1024;
    /// How many partitions a topic gets when nothing is said.
    pub const PARTITIONS: i32 = 4;

    /// Starts one broker on a free port of the loopback interface.
    pub fn start() -> Result<EmbeddedKafka, ConfigError> {
        EmbeddedKafka::with_brokers(1)
    }

    /// Starts several, for tests in which a partition changes its leader. They are numbered from 1.
    pub fn with_brokers(count: u32) -> Result<EmbeddedKafka, ConfigError> {
        let failed = |reason: String| ConfigError::Embedded { reason };
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", count.to_string());
        // Nobody reads this client's log.
        config.set_log_level(RDKafkaLogLevel::Emerg);
        let native = config.create_native_config().map_err(|error| failed(error.to_string()))?;
        let owner = Client::new(&config, native, RDKafkaType::RD_KAFKA_PRODUCER, LogContext::default())
            .map_err(|error| failed(error.to_string()))?;
        // Or the first member of a group waits three seconds for others, and a dead one is missed for 45.
        ffi::quicken_groups(&owner, 200, 3000);
        let bootstrap = owner
            .mock_cluster()
            .ok_or_else(|| failed("librdkafka was built without it".into()))?
            .bootstrap_servers();
        Ok(EmbeddedKafka { owner, bootstrap })
    }

    /// Where it listens, `host:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap
    }

    /// Everything else that librdkafka's mock cluster can do.
    #[doc(hidden)]
    pub fn mock(&self) -> MockCluster<'_, LogContext> {
        self.owner.mock_cluster().expect("the owner was made with a cluster")
    }

    /// The cluster's thread answers a call first and then throws away what woke it, and with it the next call's
    /// wake-up if that came in between: the call waits for a timer then, 150 ms and more. So leave it the moment
    /// it needs.
    fn call(&self, call: impl FnOnce(MockCluster<'_, LogContext>) -> KafkaResult<()>) -> KafkaResult<()> {
        let result = call(self.mock());
        thread::sleep(Duration::from_micros(100));
        result
    }

    fn told(&self, call: impl FnOnce(MockCluster<'_, LogContext>) -> KafkaResult<()>) -> Result<(), Error> {
        self.call(call).map_err(|error| Error::client("embedded broker", error))
    }

    /// Creates a topic, and says in librdkafka's terms why it did not.
    pub(super) fn create(&self, name: &str, partitions: i32) -> KafkaResult<()> {
        self.call(|mock| mock.create_topic(name, partitions, 1))
    }

    /// Creates a topic. With `group.protocol=consumer` it must be there before the subscribe.
    ///
    /// # Errors
    /// When there is one of this name already.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), Error> {
        self.told(|mock| mock.create_topic(name, partitions, 1))
    }

    /// Cuts all connections and takes no new ones.
    ///
    /// # Errors
    /// Here and below, when librdkafka refuses it.
    pub fn broker_down(&self) -> Result<(), Error> {
        self.told(|mock| mock.broker_down(-1))
    }

    /// Takes connections again.
    pub fn broker_up(&self) -> Result<(), Error> {
        self.told(|mock| mock.broker_up(-1))
    }

    /// Delays every answer by this.
    pub fn round_trip_time(&self, delay: Duration) -> Result<(), Error> {
        self.told(|mock| mock.broker_round_trip_time(-1, delay))
    }

    /// Answers the next requests of this kind with these errors, one each. `RD_KAFKA_RESP_ERR__TRANSPORT` cuts the
    /// connection instead.
    #[doc(hidden)]
    pub fn request_errors(&self, request: RDKafkaApiKey, errors: &[RDKafkaRespErr]) {
        self.mock().request_errors(request, errors);
    }

    /// Takes back the errors that were not answered yet.
    #[doc(hidden)]
    pub fn clear_request_errors(&self, request: RDKafkaApiKey) {
        self.mock().clear_request_errors(request);
    }

    /// Lets metadata name this error for a topic.
    #[doc(hidden)]
    pub fn topic_error(&self, topic: &str, error: RDKafkaRespErr) -> Result<(), Error> {
        self.told(|mock| mock.topic_error(topic, error))
    }

    /// Makes this broker the partition's leader; with `None` it has none.
    pub fn partition_leader(&self, topic: &str, partition: i32, broker: Option<i32>) -> Result<(), Error> {
        self.told(|mock| mock.partition_leader(topic, partition, broker))
    }

    /// Makes this broker the group's coordinator.
    pub fn group_coordinator(&self, group: &str, broker: i32) -> Result<(), Error> {
        self.told(|mock| mock.coordinator(MockCoordinator::Group(group.to_owned()), broker))
    }
}

impl fmt::Debug for EmbeddedKafka {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EmbeddedKafka").field("bootstrap_servers", &self.bootstrap).finish_non_exhaustive()
    }
}
