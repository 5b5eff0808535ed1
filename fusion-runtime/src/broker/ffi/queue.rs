//! Queues to take batches from.

use std::any::Any;
use std::ffi::{CStr, CString};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::Thread;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

use super::{Message, wake::Alarm};

/// The client that a queue came from, and that must outlive it.
pub(super) type KeepAlive = Arc<dyn Any + Send + Sync>;

/// A counted reference to a librdkafka queue.
pub(super) struct Queue(NonNull<sys::rd_kafka_queue_t>);

// SAFETY: librdkafka guards its queues with locks of their own, and any thread may destroy a reference.
unsafe impl Send for Queue {}
// SAFETY: as above; the one call that must not run twice at a time is behind `&mut Taker`.
unsafe impl Sync for Queue {}

impl Queue {
    /// Takes over the reference that `raw` is, if it is one.
    pub(super) fn owned(raw: *mut sys::rd_kafka_queue_t) -> Option<Queue> {
        NonNull::new(raw).map(Queue)
    }

    pub(super) fn raw(&self) -> NonNull<sys::rd_kafka_queue_t> {
        self.0
    }

    pub(super) fn as_ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.0.as_ptr()
    }

    pub(super) fn len(&self) -> usize {
        // SAFETY: the reference is alive until drop.
        unsafe { sys::rd_kafka_queue_length(self.0.as_ptr()) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the reference is given back once, and every holder keeps the client alive longer than this.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

/// What messages share with those who take them. It is freed only when no message is left.
pub(super) struct Core {
    pub(super) live: AtomicUsize,
}

/// Takes a consumer's messages out of queues, in batches, and counts those that are alive.
///
/// It belongs to the thread that owns the consumer, and keeps the consumer alive. Drop every message, then this and the
/// queues, then the consumer. Closing a client under its messages is undefined behaviour, so if a message is still alive
/// when this is dropped, the client is leaked instead, and an error logged: ask [`live`](Taker::live) before.
pub struct Taker {
    scratch: Scratch,
    /// Whether messages are taken singly.
    singly: bool,
    core: Arc<Core>,
    client: KeepAlive,
}

/// Room for the pointers of one batch.
struct Scratch(Vec<*mut sys::rd_kafka_message_t>);

// SAFETY: it is empty between two calls of `take`.
unsafe impl Send for Scratch {}
// SAFETY: it is only used through `&mut`.
unsafe impl Sync for Scratch {}

impl Taker {
    /// Takes from queues of this consumer.
    pub fn new<C>(consumer: &Arc<BaseConsumer<C>>) -> Taker
    where
        C: ConsumerContext + 'static,
    {
        // A batch counts the end of a partition as a record (librdkafka 2.12, rd_kafka_q_serve_rkmessages): the position
        // is one behind the end then, and when a pause ends, reading goes on there and misses a record. We never pause,
        // but librdkafka does while a rebalance is decided, and where that leaves partitions assigned, they are resumed.
        // A call for each message knows the difference.
        // SAFETY: the client is alive.
        let singly = unsafe {
            let conf = sys::rd_kafka_conf(consumer.client().native_ptr());
            let is = |name: &CStr, value: &str| setting(conf, name).contains(value);
            is(c"enable.partition.eof", "true")
                && (is(c"group.protocol", "consumer") || is(c"partition.assignment.strategy", "cooperative"))
        };
        let core = Arc::new(Core { live: AtomicUsize::new(0) });
        Taker { scratch: Scratch(Vec::new()), singly, core, client: consumer.clone() }
    }

    /// Takes up to `max` messages without waiting, and says how many were appended to `into`.
    ///
    /// Among them are the partitions' own errors and ends, see [`Message::error`]. `max.poll.interval.ms` does
    /// not count these calls: poll the consumer too.
    pub fn take(&mut self, from: &PartitionQueue, max: usize, into: &mut Vec<Message>) -> usize {
        self.take_from(&from.queue, max, into)
    }

    fn take_from(&mut self, queue: &Queue, max: usize, into: &mut Vec<Message>) -> usize {
        let Scratch(pointers) = &mut self.scratch;
        pointers.reserve(max);
        if self.singly {
            // SAFETY: `&mut self` keeps a second thread out of the call; what comes back is ours.
            let next = || NonNull::new(unsafe { sys::rd_kafka_consume_queue(queue.as_ptr(), 0) });
            pointers.extend(std::iter::from_fn(next).take(max).map(NonNull::as_ptr));
        } else {
            // SAFETY: there is room for `max` pointers; `&mut self` keeps a second thread out of the call. Time-out
            // 0, because with any other it waits the whole of it for a full batch.
            let taken =
                unsafe { sys::rd_kafka_consume_batch_queue(queue.as_ptr(), 0, pointers.as_mut_ptr(), max) };
            // SAFETY: the call wrote `taken` pointers.
            unsafe { pointers.set_len(usize::try_from(taken).unwrap_or(0)) }
        }
        let taken = pointers.len();
        self.core.live.fetch_add(taken, Ordering::Relaxed);
        let core = NonNull::from(&*self.core);
        into.extend(pointers.drain(..).filter_map(NonNull::new).map(|raw| Message { raw, core }));
        taken
    }

    /// How many messages that were taken here are still alive.
    pub fn live(&self) -> usize {
        self.core.live.load(Ordering::Acquire)
    }
}

/// A setting as the client has it, if it is short.
///
/// # Safety
/// The client must be alive.
unsafe fn setting(conf: *const sys::rd_kafka_conf_t, name: &CStr) -> String {
    let mut value = [0_u8; 128];
    let mut size = value.len();
    // SAFETY: the configuration lives as long as the client; there is room for `size` bytes.
    unsafe { sys::rd_kafka_conf_get(conf, name.as_ptr(), value.as_mut_ptr().cast(), &mut size) };
    CStr::from_bytes_until_nul(&value)
        .map_or_else(|_| String::new(), |value| value.to_string_lossy().into_owned())
}

impl Drop for Taker {
    fn drop(&mut self) {
        let live = self.live();
        if live > 0 {
            tracing::error!(live, "messages outlive their consumer, which is therefore never closed");
            mem::forget((self.core.clone(), self.client.clone()));
        }
    }
}

/// The queue of one partition, apart from the consumer's.
///
/// What is not taken out of it stops librdkafka from fetching more of this partition, and of no other: that is how to
/// hold one back, rather than to pause it, which throws away what was fetched.
pub struct PartitionQueue {
    alarm: Alarm,
    queue: Queue,
    _client: KeepAlive,
}

impl PartitionQueue {
    /// Takes a partition's queue out of its consumer's, and unparks `thread` whenever it goes from empty to not empty. Do
    /// so for each partition in the assign event, before the assign itself, and again at every assign: the stop of a
    /// partition undoes it. As with [`WakeGuard`](super::WakeGuard), take until nothing comes before parking, and park with a time-out.
    ///
    /// `None` if the name has a zero byte.
    pub fn split<C>(
        consumer: &Arc<BaseConsumer<C>>,
        topic: &str,
        partition: i32,
        thread: Thread,
    ) -> Option<PartitionQueue>
    where
        C: ConsumerContext + 'static,
    {
        let queue = partition_queue(consumer, topic, partition)?;
        // SAFETY: the reference is alive. Without a target it is its own, and librdkafka leaves it so.
        unsafe { sys::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut()) };
        Some(PartitionQueue { alarm: Alarm::set(&queue, thread), queue, _client: consumer.clone() })
    }

    /// Whether anything may have come since the last question.
    pub fn has_rung(&self) -> bool {
        self.alarm.has_rung()
    }

    /// As if something had come.
    pub fn ring(&self) {
        self.alarm.ring();
    }
}

fn partition_queue<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<Queue> {
    let topic = CString::new(topic).ok()?;
    // SAFETY: the client is borrowed and therefore alive; the reference that comes back is ours.
    Queue::owned(unsafe {
        sys::rd_kafka_queue_get_partition(consumer.client().native_ptr(), topic.as_ptr(), partition)
    })
}

/// A queue of our own, to which a consumer's partitions are forwarded and from which batches are taken: for few
/// partitions that nothing holds back.
///
/// What is said of [`Taker`] holds here.
pub struct OwnQueue {
    alarm: Option<Alarm>,
    queue: Arc<Shared>,
    taker: Taker,
}

/// The queue, and whose it is.
struct Shared {
    queue: Queue,
    client: *mut sys::rd_kafka_t,
}

// SAFETY: `client` is compared, never followed.
unsafe impl Send for Shared {}
// SAFETY: as above; the queue is `Sync`.
unsafe impl Sync for Shared {}

impl OwnQueue {
    /// Makes a queue of this consumer. Nothing arrives before a partition is forwarded to it.
    pub fn new<C>(consumer: &Arc<BaseConsumer<C>>) -> OwnQueue
    where
        C: ConsumerContext + 'static,
    {
        let client = consumer.client().native_ptr();
        // SAFETY: the client is alive; the queue that comes back is ours.
        let queue = unsafe { Queue::owned(sys::rd_kafka_queue_new(client)) };
        let queue = queue.expect("librdkafka aborts the process when it cannot allocate");
        OwnQueue { alarm: None, queue: Arc::new(Shared { queue, client }), taker: Taker::new(consumer) }
    }

    /// Unparks `thread` from now on when the queue goes from empty to not empty. As with [`WakeGuard`](super::WakeGuard), take
    /// until nothing comes before parking, and park with a time-out.
    pub fn wake(&mut self, thread: Thread) {
        // The old callback goes first: taken out afterwards, it would take the new one with it.
        self.alarm = None;
        self.alarm = Some(Alarm::set(&self.queue.queue, thread));
    }

    /// What a rebalance hook needs to send partitions here. It does not keep the queue alive, so it may be kept
    /// in the consumer's own context.
    pub fn forwarder(&self) -> Forwarder {
        Forwarder(Arc::downgrade(&self.queue))
    }

    /// As [`Taker::take`].
    pub fn take(&mut self, max: usize, into: &mut Vec<Message>) -> usize {
        self.taker.take_from(&self.queue.queue, max, into)
    }

    /// As [`Taker::live`].
    pub fn live(&self) -> usize {
        self.taker.live()
    }
}

/// Sends a consumer's partitions to an [`OwnQueue`].
#[derive(Clone)]
pub struct Forwarder(Weak<Shared>);

impl Forwarder {
    /// Sends what is fetched of this partition to the queue. Call it for each partition in the assign event,
    /// before the assign itself, and again at every assign: the stop of a partition undoes it.
    ///
    /// `false` means that the queue is gone, belongs to another client, or that the name has a zero byte: then
    /// the partition's messages come out of the consumer's own `poll`.
    #[must_use]
    pub fn forward<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        topic: &str,
        partition: i32,
    ) -> bool {
        let client = consumer.client().native_ptr();
        let Some(shared) = self.0.upgrade().filter(|shared| shared.client == client) else { return false };
        let Some(fetched) = partition_queue(consumer, topic, partition) else { return false };
        // SAFETY: the client is borrowed and therefore alive, also if `shared` turns out to be its queue's last owner;
        // the queue is of this client.
        unsafe { sys::rd_kafka_queue_forward(fetched.as_ptr(), shared.queue.as_ptr()) };
        true
    }
}
