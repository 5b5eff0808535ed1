//! What each kind of client is told, in librdkafka's properties.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::{Config, ConfigError, GroupProtocol, properties};

/// How long a transaction may be open before its broker aborts it.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a record of a transaction may be on its way.
pub(crate) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(8);

type Properties = BTreeMap<String, String>;

impl Config {
    /// For the one consumer of an app's group. Ends of partitions are not reported, because each would be a
    /// message of its own after every record that comes alone: set `enable.partition.eof` where they are needed.
    #[doc(hidden)]
    pub fn group_consumer(&self, group: &str) -> Result<ClientConfig, ConfigError> {
        self.check()?;
        Ok(self.client("consumer", self.group_properties(group)))
    }

    /// For a consumer that assigns its partitions itself and never commits, as for replies. The group's name is
    /// needed only because librdkafka assigns nothing without one; the consumer never joins it.
    #[doc(hidden)]
    pub fn assigned_consumer(&self, group: &str) -> Result<ClientConfig, ConfigError> {
        self.check()?;
        let mut properties = self.consumer_base(group);
        // The other protocol is of no use without a membership.
        put(&mut properties, "group.protocol", "classic");
        self.override_with(&mut properties, &self.inner.consumer);
        for membership in
            ["group.instance.id", "group.remote.assignor", "session.timeout.ms", "heartbeat.interval.ms"]
        {
            properties.remove(membership);
        }
        Ok(self.client("replies", properties))
    }

    /// For the plain producer. Its context must be read by a thread of its own, see
    /// [`Producer`](crate::produce::Producer).
    #[doc(hidden)]
    pub fn producer(&self) -> Result<ClientConfig, ConfigError> {
        self.check()?;
        Ok(self.client("producer", self.producer_properties_in_force()))
    }

    /// For the producer of transactions, and, without an id, for the one that takes its place on the embedded broker. It
    /// reports failed records only: a transaction has one outcome, and reports for each record would cost as much as
    /// sending it.
    #[doc(hidden)]
    pub fn transactional_producer(&self, id: Option<&str>) -> Result<ClientConfig, ConfigError> {
        self.check()?;
        let mut properties = self.producer_properties_in_force();
        put(&mut properties, "delivery.report.only.error", "true");
        // A whole transaction is flushed at its end, so nothing waits for company longer than that.
        if !self.inner.both.contains_key("linger.ms") && !self.inner.producer.contains_key("linger.ms") {
            put(&mut properties, "linger.ms", "5");
        }
        put(&mut properties, "queue.buffering.max.messages", "1000000");
        // What is not written in time is given up before the transaction is.
        put(&mut properties, "message.timeout.ms", MESSAGE_TIMEOUT.as_millis().to_string());
        if let Some(id) = id {
            put(&mut properties, "transactional.id", id);
            // A paused instance holds back every reader of what it wrote for so long.
            put(&mut properties, "transaction.timeout.ms", TRANSACTION_TIMEOUT.as_millis().to_string());
        }
        Ok(self.client("transactions", properties))
    }

    /// For the client that creates and deletes topics.
    #[doc(hidden)]
    pub fn admin(&self) -> Result<ClientConfig, ConfigError> {
        self.check()?;
        let mut properties = self.base();
        self.override_with(&mut properties, &Properties::new());
        Ok(self.client("admin", properties))
    }

    /// For a client that only asks what topics there are. It is a consumer, because asking as a producer creates
    /// what is asked for.
    #[doc(hidden)]
    pub fn observer(&self) -> Result<ClientConfig, ConfigError> {
        let mut config = self.admin()?;
        config.set("allow.auto.create.topics", "false");
        Ok(config)
    }

    pub(super) fn group_properties(&self, group: &str) -> Properties {
        let mut properties = self.consumer_base(group);
        match self.group_protocol_in_force() {
            GroupProtocol::Classic => {
                put(&mut properties, "group.protocol", "classic");
                // Partitions with the same number come to the same member.
                put(&mut properties, "partition.assignment.strategy", "range");
            }
            // librdkafka refuses session, heartbeat and strategy here: the broker decides.
            GroupProtocol::Consumer => put(&mut properties, "group.protocol", "consumer"),
        }
        self.override_with(&mut properties, &self.inner.consumer);
        properties
    }

    pub(super) fn producer_properties_in_force(&self) -> Properties {
        let mut properties = self.base();
        // A request must not wait for company.
        put(&mut properties, "linger.ms", "0");
        put(&mut properties, "partitioner", "murmur2_random");
        // Without a linger librdkafka would choose a partition for each record that has no key, and send a batch for each:
        // requests of one moment go to one partition instead, the next millisecond's to another.
        put(&mut properties, "sticky.partitioning.linger.ms", "1");
        if self.is_embedded() {
            // It would not find duplicates anyway, and asking for a producer id costs the first record half a
            // second. One request at a time keeps the order over librdkafka's own retries.
            put(&mut properties, "enable.idempotence", "false");
            put(&mut properties, "max.in.flight", "1");
        } else {
            // In order and without duplicates, also over librdkafka's own retries.
            put(&mut properties, "enable.idempotence", "true");
        }
        put(&mut properties, "queue.buffering.max.kbytes", kib(self.settings().send_buffer));
        // A misspelt topic is an error, and soon: topics are created before they are sent to, so five seconds are
        // for the news to reach all brokers.
        put(&mut properties, "allow.auto.create.topics", "false");
        put(&mut properties, "topic.metadata.propagation.max.ms", "5000");
        self.override_with(&mut properties, &self.inner.producer);
        properties
    }

    fn consumer_base(&self, group: &str) -> Properties {
        let mut properties = self.base();
        put(&mut properties, "group.id", group);
        put(&mut properties, "enable.auto.commit", "false");
        put(&mut properties, "enable.auto.offset.store", "false");
        // Offsets are always given explicitly; one that is gone must be seen, not skipped.
        put(&mut properties, "auto.offset.reset", "error");
        put(&mut properties, "isolation.level", "read_committed");
        put(&mut properties, "allow.auto.create.topics", "false");
        put(&mut properties, "queued.max.messages.kbytes", kib(self.settings().fetch_buffer));
        // The default of a second stalls a consumer whose buffer was full.
        put(&mut properties, "fetch.queue.backoff.ms", "10");
        if self.is_embedded() {
            // Its fetch never wakes when a record arrives: a round trip costs twice this.
            put(&mut properties, "fetch.wait.max.ms", "5");
        }
        properties
    }

    fn base(&self) -> Properties {
        let settings = self.settings();
        let mut properties = Properties::new();
        put(&mut properties, "bootstrap.servers", self.bootstrap());
        put(&mut properties, "client.id", "fusion");
        put(&mut properties, "socket.nagle.disable", "true");
        // Consumers adapt the sizes of their fetches to it.
        put(&mut properties, "message.max.bytes", settings.largest_message().to_string());
        if self.is_embedded() {
            put(&mut properties, "topic.metadata.refresh.interval.ms", "1000");
            // A new client connects in steps of half of the first.
            put(&mut properties, "reconnect.backoff.ms", "20");
            put(&mut properties, "reconnect.backoff.max.ms", "500");
        }
        properties
    }

    fn override_with(&self, properties: &mut Properties, side: &Properties) {
        let ours = self.inner.both.iter().chain(side);
        properties.extend(ours.map(|(name, value)| (name.clone(), value.clone())));
    }

    fn client(&self, role: &str, mut properties: Properties) -> ClientConfig {
        // Members that share a client.id make the cooperative assignor spin (librdkafka #4783).
        let prefix = properties.remove("client.id").unwrap_or_default();
        let unique = uuid::Uuid::new_v4().simple().to_string();
        properties.insert("client.id".into(), format!("{prefix}-{role}-{}", &unique[..12]));
        let logs = properties.contains_key("log_level") || properties.contains_key("debug");
        let mut config: ClientConfig = properties.into_iter().collect();
        // Otherwise rust-rdkafka asks the `log` crate, which nobody here listens to.
        config.set_log_level(if logs { RDKafkaLogLevel::Debug } else { RDKafkaLogLevel::Warning });
        config
    }
}

/// All that is in force, one setting a line, secrets hidden.
impl fmt::Display for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        let embedded = match (self.is_embedded(), self.embedded_broker()) {
            (true, Some(_)) => " (inside this process)",
            (true, None) => " (inside another process)",
            (false, _) => "",
        };
        writeln!(out, "brokers = {}{embedded}", self.bootstrap())?;
        writeln!(out, "hops = {}", settings.hops)?;
        writeln!(out, "stop_limit = {:?}", settings.stop_limit)?;
        writeln!(out, "revoke_limit = {:?}", settings.revoke_limit)?;
        writeln!(out, "connect_limit = {:?}", settings.connect_limit)?;
        writeln!(out, "in_flight = {} records", settings.in_flight)?;
        writeln!(out, "largest_value = {} bytes", settings.largest_value)?;
        writeln!(out, "largest_headers = {} bytes", settings.largest_headers)?;
        writeln!(out, "fetch_buffer = {} bytes", settings.fetch_buffer)?;
        writeln!(out, "send_buffer = {} bytes", settings.send_buffer)?;
        writeln!(out, "topics = {:?}", settings.topics)?;
        writeln!(out, "delivery = {:?}", settings.delivery)?;
        writeln!(out, "backoff = {:?}", settings.backoff)?;
        writeln!(out, "group_protocol = {:?}", self.group_protocol_in_force())?;
        writeln!(out, "keep_skipped = {}", settings.keep_skipped)?;
        writeln!(out, "start = {:?}", settings.start)?;
        writeln!(out, "commit_interval = {:?}", settings.commit_interval)?;
        writeln!(out, "on_gap = {:?}", settings.on_gap)?;
        writeln!(out, "downtime = {:?}", settings.downtime)?;
        writeln!(out, "slot = {}", settings.slot.as_deref().unwrap_or("(found at the start)"))?;
        let sides =
            [("consumer", self.group_properties("")), ("producer", self.producer_properties_in_force())];
        for (side, properties) in sides {
            for (name, value) in &properties {
                // Said above, or different for each client.
                if matches!(name.as_str(), "bootstrap.servers" | "group.id") {
                    continue;
                }
                let value = if properties::is_secret(name) { "(hidden)" } else { value };
                writeln!(out, "{side} {name} = {value}")?;
            }
        }
        if !self.ignored_variables().is_empty() {
            writeln!(out, "ignored variables = {}", self.ignored_variables().join(", "))?;
        }
        Ok(())
    }
}

/// The same as `Display`: secrets must not leak here either.
impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Config {\n")?;
        fmt::Display::fmt(self, out)?;
        out.write_str("}")
    }
}

fn put(properties: &mut Properties, name: &str, value: impl Into<String>) {
    properties.insert(name.to_owned(), value.into());
}

fn kib(bytes: usize) -> String {
    bytes.div_ceil(1024).max(1).to_string()
}
