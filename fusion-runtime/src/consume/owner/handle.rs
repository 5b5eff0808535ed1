//! What the rest of the app has of the thread.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc},
    thread::{self, Thread},
    time::Instant,
};

use rdkafka::consumer::BaseConsumer;
use tokio::sync::{oneshot, watch};

use crate::{
    Error,
    broker::{
        Config, GroupProtocol,
        ffi::{Commits, Taker},
    },
    consume::{rebalance::GroupContext, service::Service, shared::Core},
    observe::Counters,
    produce::transactions::Transactions,
};

use super::{Beginning, COMMIT_EVERY, COMMITTED_LIMIT, Owner, bounds::Bounds, ends::Ends, gap::Gaps};

/// The client of an app's group, before it joins.
pub(crate) struct GroupClient(Arc<BaseConsumer<GroupContext>>);

impl GroupClient {
    /// For topics with so many partitions. With `ends`, ends of partitions are messages of their own; with `together`,
    /// partitions of the same number come to the same member.
    pub(crate) fn new(
        config: &Config,
        group: &str,
        partitions: usize,
        ends: bool,
        together: bool,
    ) -> Result<Self, Error> {
        let mut properties = config.group_consumer(group)?;
        // Each partition has a queue, so each has its part of the buffer.
        let part = config.settings().fetch_buffer / partitions.max(1);
        properties.set("queued.max.messages.kbytes", part.div_ceil(1024).max(1).to_string());
        if ends {
            properties.set("enable.partition.eof", "true");
        }
        // What the members do with the classic protocol the broker does only if it is asked to. The embedded one cannot.
        if together
            && !config.is_embedded()
            && config.group_protocol_in_force() == GroupProtocol::Consumer
            && properties.get("group.remote.assignor").is_none()
        {
            properties.set("group.remote.assignor", "range");
        }
        let client = properties.create_with_context(GroupContext::default());
        Ok(GroupClient(Arc::new(client.map_err(|error| Error::client("consumer", error))?)))
    }

    /// Where those commit in this group that do so by themselves. What the last holder of our id left open has ended when
    /// it returns: nobody may ask before that what was committed.
    pub(crate) async fn transactions(
        &self,
        config: &Config,
        group: &str,
        counters: Arc<Counters>,
    ) -> Result<Transactions, Error> {
        let transactions = Transactions::start_counted(config, group, &self.0, counters)?;
        transactions.ready().await?;
        Ok(transactions)
    }
}

/// An app's consumer.
pub(crate) struct Consumer {
    commands: std_mpsc::Sender<Command>,
    thread: Thread,
    /// Ends with the thread.
    closed: Mutex<Option<oneshot::Receiver<()>>>,
    stopped: watch::Receiver<Option<Arc<Error>>>,
    assigned: watch::Receiver<usize>,
}

pub(super) enum Command {
    Stop { drained: Instant, until: Instant, tell: oneshot::Sender<Stopped> },
}

/// How a consumer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// Records that were still running when the time was over. They are delivered again.
    pub(crate) unfinished: usize,
}

impl Consumer {
    /// Joins the app's group and begins to serve.
    pub(crate) fn start(
        config: &Config,
        client: GroupClient,
        core: Arc<Core>,
        services: Vec<Arc<dyn Service>>,
        transactions: Option<Transactions>,
    ) -> Result<Consumer, Error> {
        let GroupClient(client) = client;
        let observer = transactions.is_some().then(|| config.observer()).transpose()?;
        let (commands, inbox) = std_mpsc::channel();
        let (fail, stopped) = watch::channel(None);
        let (tell_assigned, assigned) = watch::channel(0);
        let runtime = tokio::runtime::Handle::current();
        let start = config.settings().start;
        let (closing, closed) = oneshot::channel::<()>();
        let handle = thread::Builder::new()
            .name(format!("{}-consumer", core.app))
            .spawn(move || {
                let (taker, commits) = (Taker::new(&client), Commits::new(&client));
                let owner = Owner {
                    services: services
                        .into_iter()
                        .map(|service| (service.topic().to_owned(), service))
                        .collect(),
                    partitions: HashMap::new(),
                    bounds: Bounds::new(core.settings.in_flight, core.settings.fetch_buffer, 0),
                    core,
                    runtime,
                    start,
                    taker,
                    look_at: Instant::now(),
                    client,
                    inbox,
                    fail,
                    tell_assigned,
                    revoking: None,
                    joined: false,
                    beginning: Beginning::default(),
                    assigning: None,
                    assign_at: Instant::now(),
                    assign_limit: COMMITTED_LIMIT.0,
                    gaps: Gaps::default(),
                    ends: Ends::new(observer),
                    stopping: None,
                    next_commit: Instant::now() + COMMIT_EVERY,
                    commits,
                    epoch: 0,
                    transactions,
                    membership: watch::channel(None).0,
                };
                owner.run();
                drop(closing);
            })
            .map_err(|error| Error::Thread { name: "consumer", error })?;
        let thread = handle.thread().clone();
        Ok(Consumer { commands, thread, closed: Mutex::new(Some(closed)), stopped, assigned })
    }

    /// Stops taking, lets what runs end until `drained`, commits, leaves the group and closes. Whatever the brokers do,
    /// it returns at `until`.
    pub(crate) async fn stop(&self, drained: Instant, until: Instant) -> Stopped {
        let (tell, told) = oneshot::channel();
        let limit = tokio::time::Instant::from_std(until);
        let stopped = match self.commands.send(Command::Stop { drained, until, tell }) {
            Ok(()) => {
                self.thread.unpark();
                // The thread may be inside one of librdkafka's calls, waiting for a broker.
                let told = tokio::time::timeout_at(limit, told).await;
                told.ok().and_then(Result::ok).unwrap_or_default()
            }
            // It has ended already.
            Err(_) => Stopped::default(),
        };
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(closed) = closed {
            // Closing may hang with the broker away (librdkafka #509, #611): then the thread is left behind. It is not
            // joined, since a tokio runtime does not end before its blocking tasks do.
            let _ = tokio::time::timeout_at(limit, closed).await;
        }
        stopped
    }

    /// Waits until the consumer fails by itself.
    pub(crate) async fn failed(&self) -> Arc<Error> {
        let mut stopped = self.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(|| Arc::new(Error::Stopped)),
            Err(_) => Arc::new(Error::Stopped),
        }
    }

    /// How many partitions this member has, as it changes.
    pub(crate) fn assigned(&self) -> watch::Receiver<usize> {
        self.assigned.clone()
    }
}
