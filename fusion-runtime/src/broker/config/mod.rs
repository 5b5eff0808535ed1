//! [`Config`]: which brokers, and by which settings.
//!
//! librdkafka's properties come from the environment ([`Config::from_env`]) or from code ([`Config::set`]); a later
//! one replaces an earlier one. The few that the runtime's promises depend on cannot be set. Everything that is in
//! force is in `config.to_string()`, without secrets.

mod check;
mod clients;
mod env;
mod error;
mod properties;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::EmbeddedKafka;
pub(crate) use clients::TRANSACTION_TIMEOUT;
pub use error::{ConfigError, Owned};
pub use settings::{Backoff, Delivery, GroupProtocol, OnGap, Settings, Start, TopicPolicy};

/// Which brokers to use, and how. A clone is cheap and, where a broker inside the process is used, keeps it alive.
///
/// Each setter takes and returns the configuration. Mistakes are found when the first client is made, or by
/// [`check`](Config::check).
///
/// ```
/// use fusion::Config;
/// use std::time::Duration;
///
/// let config = Config::new("kafka-1:9092,kafka-2:9092")
///     .set("security.protocol", "plaintext")
///     .consumer_set("fetch.min.bytes", "1")
///     .stop_limit(Duration::from_secs(10));
/// config.check().unwrap();
/// ```
#[derive(Clone)]
pub struct Config {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    bootstrap: String,
    embedded: Embedded,
    settings: Settings,
    both: BTreeMap<String, String>,
    consumer: BTreeMap<String, String>,
    producer: BTreeMap<String, String>,
    ignored: Vec<String>,
}

/// Whether the brokers are a real cluster.
#[derive(Clone)]
enum Embedded {
    No,
    Here(Arc<EmbeddedKafka>),
    Elsewhere,
}

impl Config {
    /// With these brokers, `host:port` and commas between. The environment is not looked at.
    pub fn new(bootstrap: impl Into<String>) -> Config {
        let inner = Inner {
            bootstrap: bootstrap.into(),
            embedded: Embedded::No,
            settings: Settings::default(),
            both: BTreeMap::new(),
            consumer: BTreeMap::new(),
            producer: BTreeMap::new(),
            ignored: Vec::new(),
        };
        Config { inner: Arc::new(inner) }
    }

    /// With a new broker inside this process, which lives as long as the configuration and what is made of it.
    ///
    /// # Errors
    /// [`ConfigError::Embedded`] when no port of the loopback interface is free.
    pub fn embedded() -> Result<Config, ConfigError> {
        Ok(Config::with_embedded(Arc::new(EmbeddedKafka::start()?)))
    }

    /// With a broker inside this process that already runs.
    pub fn with_embedded(broker: Arc<EmbeddedKafka>) -> Config {
        let mut config = Config::new(broker.bootstrap_servers());
        config.inner_mut().embedded = Embedded::Here(broker);
        config
    }

    /// With a broker inside another process, at its [`EmbeddedKafka::bootstrap_servers`]: for programs that start
    /// themselves once more, to be killed or to be several. It lives as long as that process.
    ///
    /// From here, topics can be created only with the partitions that a topic gets when nothing is said,
    /// [`EmbeddedKafka::PARTITIONS`].
    ///
    /// ```
    /// use fusion::{Config, EmbeddedKafka};
    ///
    /// let broker = EmbeddedKafka::start().unwrap(); // in the one process
    /// let config = Config::embedded_at(broker.bootstrap_servers()); // in the other
    /// assert!(config.is_embedded() && config.embedded_broker().is_none());
    /// ```
    pub fn embedded_at(bootstrap: impl Into<String>) -> Config {
        let mut config = Config::new(bootstrap);
        config.inner_mut().embedded = Embedded::Elsewhere;
        config
    }

    fn inner_mut(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Config {
        change(&mut self.inner_mut().settings);
        self
    }

    /// Sets one of librdkafka's properties for all clients.
    pub fn set(self, property: impl Into<String>, value: impl Into<String>) -> Config {
        self.properties([(property, value)])
    }

    /// Sets one of librdkafka's properties for consumers only.
    pub fn consumer_set(self, property: impl Into<String>, value: impl Into<String>) -> Config {
        self.consumer_properties([(property, value)])
    }

    /// Sets one of librdkafka's properties for producers only.
    pub fn producer_set(self, property: impl Into<String>, value: impl Into<String>) -> Config {
        self.producer_properties([(property, value)])
    }

    /// Sets several of librdkafka's properties for all clients.
    pub fn properties<K: Into<String>, V: Into<String>>(
        mut self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Config {
        self.inner_mut().both.extend(canonical(properties));
        self
    }

    /// Sets several of librdkafka's properties for consumers only.
    pub fn consumer_properties<K: Into<String>, V: Into<String>>(
        mut self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Config {
        self.inner_mut().consumer.extend(canonical(properties));
        self
    }

    /// Sets several of librdkafka's properties for producers only.
    pub fn producer_properties<K: Into<String>, V: Into<String>>(
        mut self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Config {
        self.inner_mut().producer.extend(canonical(properties));
        self
    }

    /// See [`Settings::hops`].
    pub fn hops(self, hops: u32) -> Config {
        self.with(|settings| settings.hops = hops)
    }

    /// See [`Settings::stop_limit`].
    pub fn stop_limit(self, limit: Duration) -> Config {
        self.with(|settings| settings.stop_limit = limit)
    }

    /// See [`Settings::revoke_limit`].
    pub fn revoke_limit(self, limit: Duration) -> Config {
        self.with(|settings| settings.revoke_limit = limit)
    }

    /// See [`Settings::connect_limit`].
    pub fn connect_limit(self, limit: Duration) -> Config {
        self.with(|settings| settings.connect_limit = limit)
    }

    /// See [`Settings::in_flight`].
    pub fn in_flight(self, records: usize) -> Config {
        self.with(|settings| settings.in_flight = records)
    }

    /// See [`Settings::largest_value`].
    pub fn largest_value(self, bytes: usize) -> Config {
        self.with(|settings| settings.largest_value = bytes)
    }

    /// See [`Settings::largest_headers`].
    pub fn largest_headers(self, bytes: usize) -> Config {
        self.with(|settings| settings.largest_headers = bytes)
    }

    /// See [`Settings::fetch_buffer`].
    pub fn fetch_buffer(self, bytes: usize) -> Config {
        self.with(|settings| settings.fetch_buffer = bytes)
    }

    /// See [`Settings::send_buffer`].
    pub fn send_buffer(self, bytes: usize) -> Config {
        self.with(|settings| settings.send_buffer = bytes)
    }

    /// See [`Settings::topics`].
    pub fn topics(self, policy: TopicPolicy) -> Config {
        self.with(|settings| settings.topics = policy)
    }

    /// See [`Settings::delivery`].
    pub fn delivery(self, delivery: Delivery) -> Config {
        self.with(|settings| settings.delivery = delivery)
    }

    /// See [`Settings::backoff`].
    pub fn backoff(self, backoff: Backoff) -> Config {
        self.with(|settings| settings.backoff = backoff)
    }

    /// See [`Settings::group_protocol`].
    pub fn group_protocol(self, protocol: GroupProtocol) -> Config {
        self.with(|settings| settings.group_protocol = Some(protocol))
    }

    /// See [`Settings::start`].
    pub fn start(self, start: Start) -> Config {
        self.with(|settings| settings.start = start)
    }

    /// See [`Settings::keep_skipped`].
    pub fn keep_skipped(self, keep: bool) -> Config {
        self.with(|settings| settings.keep_skipped = keep)
    }

    /// See [`Settings::on_gap`].
    pub fn on_gap(self, on_gap: OnGap) -> Config {
        self.with(|settings| settings.on_gap = on_gap)
    }

    /// See [`Settings::downtime`].
    pub fn downtime(self, downtime: Duration) -> Config {
        self.with(|settings| settings.downtime = downtime)
    }

    /// See [`Settings::commit_interval`].
    pub fn commit_interval(self, interval: Duration) -> Config {
        self.with(|settings| settings.commit_interval = interval)
    }

    /// See [`Settings::slot`].
    pub fn slot(self, slot: impl Into<String>) -> Config {
        self.with(|settings| settings.slot = Some(slot.into()))
    }

    /// The settings in force, apart from librdkafka's properties.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The brokers, as they were named.
    pub fn bootstrap(&self) -> &str {
        &self.inner.bootstrap
    }

    /// The broker inside this process, if that is used.
    pub fn embedded_broker(&self) -> Option<&Arc<EmbeddedKafka>> {
        match &self.inner.embedded {
            Embedded::Here(broker) => Some(broker),
            Embedded::No | Embedded::Elsewhere => None,
        }
    }

    /// Whether a broker inside a process is used, this one or another, and no real cluster.
    pub fn is_embedded(&self) -> bool {
        !matches!(self.inner.embedded, Embedded::No)
    }

    /// One of librdkafka's properties, as it was set for consumers.
    pub(crate) fn consumer_property(&self, property: &str) -> Option<&str> {
        let Inner { both, consumer, .. } = &*self.inner;
        consumer.get(property).or_else(|| both.get(property)).map(String::as_str)
    }

    /// How the group divides its partitions. With `Consumer` a topic that is created after the subscribe is not
    /// assigned on the embedded broker.
    pub fn group_protocol_in_force(&self) -> GroupProtocol {
        let default = if self.is_embedded() { GroupProtocol::Consumer } else { GroupProtocol::Classic };
        self.settings().group_protocol.unwrap_or(default)
    }

    /// The `KAFKA_*` variables that librdkafka does not know.
    pub fn ignored_variables(&self) -> &[String] {
        &self.inner.ignored
    }

    /// Finds mistakes without connecting. Whatever makes a client calls it.
    ///
    /// ```
    /// use fusion::Config;
    ///
    /// let error = Config::new("kafka-1:9092").set("group.id", "mine").check().unwrap_err();
    /// assert!(error.to_string().ends_with("`group.id` (the app's name is its group)"));
    /// ```
    ///
    /// # Errors
    /// The first mistake, as [`ConfigError`]; of properties that cannot be set, all of them.
    pub fn check(&self) -> Result<(), ConfigError> {
        check::check(self)
    }
}

fn canonical<K: Into<String>, V: Into<String>>(
    properties: impl IntoIterator<Item = (K, V)>,
) -> impl Iterator<Item = (String, String)> {
    properties.into_iter().map(|(name, value)| (properties::canonical(&name.into()).to_owned(), value.into()))
}
