//! The thread that owns a producer client: its events, flush, close and the client's end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer as _, PurgeConfig};
use tokio::sync::{Notify, oneshot};

use super::handle::Unflushed;
use super::reports::{Receipts, Reports, lock, settle};
use super::{Outgoing, ProduceError, Receipt, Sizes};
use crate::broker::ffi::{self, WakeGuard};
use crate::broker::{Config, ConfigError, Errors};

/// What a producer gets to send the rest when nobody closed it.
pub(super) const DROP_LIMIT: Duration = Duration::from_secs(5);
/// How long purged records may take to come back with their error.
const PURGE_LIMIT: Duration = Duration::from_secs(1);
/// How long a report may wait that nobody waits for: a thread that wakes for each of them costs as much as the rest of a
/// request. In this time they come together.
const LAZY: Duration = Duration::from_millis(5);
/// The wake-ups are edge-triggered; this is how long a lost one could go unnoticed.
const TICK: Duration = Duration::from_millis(500);

type Client = BaseProducer<Reports>;
type Told = oneshot::Sender<Result<(), Unflushed>>;

/// What the handles share with the owner thread.
pub(super) struct Shared {
    /// Gone once the producer is closed. Only the owner thread writes: after that, no handle can be inside the old
    /// client, which ends where it may block.
    client: RwLock<Option<Arc<Client>>>,
    receipts: Arc<Receipts>,
    sizes: Sizes,
    /// Told whenever confirmations may have made room.
    pub(super) room: Notify,
    /// How many tasks wait for room.
    pub(super) waiting: AtomicUsize,
    /// Set while the owner sleeps because nothing is in flight.
    dormant: AtomicBool,
    orders: Mutex<Orders>,
    owner: OnceLock<Thread>,
}

#[derive(Default)]
struct Orders {
    flushes: Vec<(Instant, Told)>,
    /// The first deadline that was given counts.
    close: Option<Instant>,
    closers: VecDeque<Told>,
    /// The end's result, for whoever asks after it.
    ended: Option<Result<(), Unflushed>>,
}

/// Makes the client and its thread.
pub(super) fn start(config: &Config) -> Result<Arc<Shared>, ConfigError> {
    let receipts = Arc::new(Receipts::default());
    let client = make(config, &receipts)?;
    let settings = config.settings();
    let shared = Arc::new(Shared {
        client: RwLock::new(Some(client.clone())),
        receipts,
        sizes: Sizes::of(settings),
        room: Notify::new(),
        waiting: AtomicUsize::new(0),
        dormant: AtomicBool::new(false),
        orders: Mutex::default(),
        owner: OnceLock::new(),
    });
    let theirs = shared.clone();
    // The broker inside the process lives as long as the configuration does.
    let config = config.clone();
    let owner = thread::Builder::new()
        .name("fusion-producer".into())
        .spawn(move || run(&config, client, &theirs))
        .map_err(|error| ConfigError::Client { client: "producer", reason: error.to_string() })?;
    let _ = shared.owner.set(owner.thread().clone());
    Ok(shared)
}

fn make(config: &Config, receipts: &Arc<Receipts>) -> Result<Arc<Client>, ConfigError> {
    let reports = Reports {
        receipts: receipts.clone(),
        embedded: config.is_embedded(),
        closing: AtomicBool::new(false),
        errors: Errors::default(),
    };
    let client: Result<Client, KafkaError> = config.producer()?.create_with_context(reports);
    client.map(Arc::new).map_err(|error| ConfigError::client("producer", &error))
}

fn run(config: &Config, mut client: Arc<Client>, shared: &Shared) {
    let mut wake = WakeGuard::for_producer(&client, thread::current());
    let close = loop {
        if serve(&client, &wake, shared)
            && let Some((code, reason)) = client.client().fatal_error()
        {
            (client, wake) = replace(config, client, wake, shared, &format!("{code}: {reason}"));
        }
        let next = shared.answer_flushes(client.in_flight_count());
        if let Some(close) = lock(&shared.orders).close {
            break close;
        }
        sleep(&client, &wake, shared, next);
    };
    wake.quiet(false);
    // From here on `send` says `Closed`, and nobody but this thread has the client.
    *shared.client.write().unwrap_or_else(PoisonError::into_inner) = None;
    shared.room.notify_waiters();
    client.context().closing.store(true, Ordering::Relaxed);
    let mut result = Ok(());
    if !drain(&client, &wake, shared, close) {
        let records = usize::try_from(client.in_flight_count()).unwrap_or(0);
        result = Err(Unflushed { records });
        tracing::warn!(records, "the producer closes before all records were confirmed");
    }
    end(client, wake, shared);
    let left = std::mem::take(&mut *lock(&shared.receipts.kept));
    for (_, receipt) in left {
        settle(receipt, Err(ProduceError::Unconfirmed { topic: "(not known any more)".into() }));
    }
    shared.end(result);
}

/// Goes on with a new client after an error that the idempotent producer cannot get over: it lost track of what the
/// broker has, and refuses everything from then on. What it still holds fails with an error that may be repeated.
fn replace(
    config: &Config,
    old: Arc<Client>,
    old_wake: WakeGuard,
    shared: &Shared,
    reason: &str,
) -> (Arc<Client>, WakeGuard) {
    let new = match make(config, &shared.receipts) {
        Ok(new) => new,
        Err(error) => {
            tracing::error!(%error, reason, "the producer has failed and cannot be replaced");
            return (old, old_wake);
        }
    };
    tracing::error!(reason, "the producer has failed and is replaced");
    let wake = WakeGuard::for_producer(&new, thread::current());
    *shared.client.write().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
    end(old, old_wake, shared);
    shared.room.notify_waiters();
    (new, wake)
}

/// Ends a client that no handle can reach any more: what it holds comes back as purged.
fn end(client: Arc<Client>, wake: WakeGuard, shared: &Shared) {
    if client.in_flight_count() > 0 {
        client.purge(PurgeConfig::default().queue().inflight());
        drain(&client, &wake, shared, Instant::now() + PURGE_LIMIT);
    }
    drop(wake);
    drop(client);
}

/// Handles everything that is in the client's event queue. Each `poll` takes one event, which may report many
/// records. Says whether there was any.
fn serve(client: &Client, wake: &WakeGuard, shared: &Shared) -> bool {
    let mut served = false;
    while wake.pending() > 0 {
        client.poll(Duration::ZERO);
        served = true;
    }
    // librdkafka makes room when a report is destroyed, not when it is delivered: hence not in `delivery`.
    if served && shared.waiting.load(Ordering::SeqCst) > 0 {
        shared.room.notify_waiters();
    }
    served
}

/// Sleeps until there is something to serve: woken by it if somebody waits for a report, room or a flush, else for as
/// long as a report may be late.
fn sleep(client: &Client, wake: &WakeGuard, shared: &Shared, flush: Option<Duration>) {
    let awaited =
        flush.is_some() || shared.receipts.any_urgent() || shared.waiting.load(Ordering::SeqCst) > 0;
    wake.quiet(!awaited);
    if awaited {
        if wake.pending() == 0 {
            thread::park_timeout(flush.map_or(TICK, |flush| flush.min(TICK)));
        }
    } else if client.in_flight_count() > 0 {
        thread::park_timeout(LAZY);
    } else {
        shared.dormant.store(true, Ordering::SeqCst);
        // Whoever sent before that did not see it.
        if client.in_flight_count() == 0 {
            thread::park_timeout(TICK);
        }
        shared.dormant.store(false, Ordering::SeqCst);
    }
}

/// Serves until nothing is in flight; false if that was not so by the deadline.
fn drain(client: &Client, wake: &WakeGuard, shared: &Shared, deadline: Instant) -> bool {
    loop {
        serve(client, wake, shared);
        if client.in_flight_count() == 0 {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left.min(TICK));
    }
}

impl Shared {
    /// Queues a record, or gives the receipt back.
    pub(super) fn send(
        &self,
        record: &Outgoing<'_>,
        receipt: Receipt,
    ) -> Result<(), (ProduceError, Receipt)> {
        if let Err(error) = self.sizes.check_record(record) {
            return Err((error, receipt));
        }
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        let Some(client) = &*client else {
            return Err((ProduceError::Closed { topic: record.topic.to_owned() }, receipt));
        };
        let urgent = receipt.is_urgent();
        let token = self.receipts.keep(receipt);
        ffi::produce(client, record, token)
            .map_err(|code| (ProduceError::of(code, record.topic), self.receipts.take(token)))?;
        if urgent || self.dormant.load(Ordering::SeqCst) {
            self.wake();
        }
        Ok(())
    }

    pub(super) fn in_flight(&self) -> usize {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        client.as_ref().map_or(0, |client| usize::try_from(client.in_flight_count()).unwrap_or(0))
    }

    pub(super) fn ask_to_flush(&self, deadline: Instant) -> oneshot::Receiver<Result<(), Unflushed>> {
        let (tell, told) = oneshot::channel();
        let mut orders = lock(&self.orders);
        match orders.ended {
            Some(ended) => drop(tell.send(ended)),
            None => orders.flushes.push((deadline, tell)),
        }
        drop(orders);
        self.wake();
        told
    }

    pub(super) fn ask_to_close(&self, deadline: Instant, tell: Option<Told>) {
        let mut orders = lock(&self.orders);
        orders.close.get_or_insert(deadline);
        match (orders.ended, tell) {
            (Some(ended), Some(tell)) => drop(tell.send(ended)),
            (None, Some(tell)) => orders.closers.push_back(tell),
            (_, None) => {}
        }
        drop(orders);
        self.wake();
    }

    fn wake(&self) {
        if let Some(owner) = self.owner.get() {
            owner.unpark();
        }
    }

    /// Answers the flushes that are done or late, and says when the next one will be late.
    fn answer_flushes(&self, in_flight: i32) -> Option<Duration> {
        let now = Instant::now();
        let mut orders = lock(&self.orders);
        let records = usize::try_from(in_flight).unwrap_or(0);
        for (deadline, tell) in std::mem::take(&mut orders.flushes) {
            if records == 0 {
                let _ = tell.send(Ok(()));
            } else if deadline <= now {
                let _ = tell.send(Err(Unflushed { records }));
            } else {
                orders.flushes.push((deadline, tell));
            }
        }
        orders.flushes.iter().map(|(deadline, _)| deadline.saturating_duration_since(now)).min()
    }

    fn end(&self, result: Result<(), Unflushed>) {
        let mut orders = lock(&self.orders);
        orders.ended = Some(result);
        let flushes = std::mem::take(&mut orders.flushes).into_iter().map(|(_, tell)| tell);
        for tell in flushes.chain(std::mem::take(&mut orders.closers)) {
            let _ = tell.send(result);
        }
    }
}
