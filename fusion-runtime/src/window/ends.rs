//! Where partitions really end, asked of their leaders.
//!
//! That a consumer has seen the end of a partition says nothing while a broker is away, and nothing of a transaction that
//! is still open beyond it. A partition is called silent only if its leader says so just now; and since asking blocks, a
//! thread with a client of its own asks.

use std::{sync::mpsc, thread, time::Duration};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::oneshot;

use crate::{Error, broker::Config};

/// How long a leader may take. Whoever gets no answer is not idle, so nothing is lost by asking again later.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks for ends. The thread ends with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Ends(mpsc::Sender<Question>);

#[derive(Debug)]
struct Question {
    topic: String,
    partition: i32,
    tell: oneshot::Sender<Option<i64>>,
}

impl Ends {
    pub(crate) fn start(config: &Config, app: &str) -> Result<Self, Error> {
        let mut properties = config.observer()?;
        // The end of what is written, not of what is committed: an open transaction is no silence.
        properties.set("isolation.level", "read_uncommitted");
        let client: BaseConsumer = properties.create().map_err(|error| Error::client("observer", error))?;
        let (sender, questions) = mpsc::channel();
        thread::Builder::new()
            .name(format!("{app}-ends"))
            .spawn(move || answer(&client, &questions))
            .map_err(|error| Error::Thread { name: "ends", error })?;
        Ok(Ends(sender))
    }

    /// The offset that the next record of a partition will get, if its leader says so now.
    pub(crate) async fn of(&self, topic: &str, partition: i32) -> Option<i64> {
        let (tell, told) = oneshot::channel();
        self.0.send(Question { topic: topic.to_owned(), partition, tell }).ok()?;
        told.await.ok().flatten()
    }
}

fn answer(client: &BaseConsumer, questions: &mpsc::Receiver<Question>) {
    while let Ok(Question { topic, partition, tell }) = questions.recv() {
        if tell.is_closed() {
            continue;
        }
        let end = client.fetch_watermarks(&topic, partition, LIMIT).map(|(_, end)| end);
        if let Err(error) = &end {
            tracing::warn!(%error, topic, partition, "the leader does not say where the partition ends");
        }
        let _ = tell.send(end.ok());
    }
}
