//! A queue of our own to take batches from, and waking the thread that reads it.

use std::any::Any;
use std::ffi::{CString, c_void};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::Thread;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::Message;

/// The client that a queue came from, and that must outlive it.
pub(super) type KeepAlive = Arc<dyn Any + Send + Sync>;

/// A counted reference to a librdkafka queue.
pub(super) struct Queue(NonNull<sys::rd_kafka_queue_t>);

// SAFETY: librdkafka guards its queues with locks of their own, and any thread may destroy a reference.
unsafe impl Send for Queue {}
// SAFETY: as above; the one call that must not run twice at a time is behind `&mut OwnQueue`.
unsafe impl Sync for Queue {}

impl Queue {
    /// Takes over the reference that `raw` is, if it is one.
    pub(super) fn owned(raw: *mut sys::rd_kafka_queue_t) -> Option<Queue> {
        NonNull::new(raw).map(Queue)
    }

    pub(super) fn as_ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.0.as_ptr()
    }

    fn len(&self) -> usize {
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

/// A callback that unparks a thread. Whoever holds it keeps the queue alive longer.
struct Alarm {
    queue: NonNull<sys::rd_kafka_queue_t>,
    sleeper: NonNull<Sleeper>,
}

/// Who is woken, unless it wants to sleep on.
struct Sleeper {
    thread: Thread,
    quiet: AtomicBool,
}

// SAFETY: the queue has its own lock, and `sleeper` is an own box of a `Send + Sync` type that is only shared.
unsafe impl Send for Alarm {}
// SAFETY: as above.
unsafe impl Sync for Alarm {}

impl Alarm {
    fn set(queue: &Queue, thread: Thread) -> Alarm {
        let sleeper = Box::new(Sleeper { thread, quiet: AtomicBool::new(false) });
        let alarm = Alarm { queue: queue.0, sleeper: NonNull::from(Box::leak(sleeper)) };
        // SAFETY: both pointers stay valid until the callback is taken out in `drop`.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(
                alarm.queue.as_ptr(),
                Some(unpark),
                alarm.sleeper.as_ptr().cast(),
            );
        }
        alarm
    }

    fn quiet(&self, quiet: bool) {
        // SAFETY: the box is ours until drop, and only shared.
        unsafe { self.sleeper.as_ref() }.quiet.store(quiet, Ordering::SeqCst);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: librdkafka takes the callback out under the lock under which it calls it, so nobody reads
        // `sleeper` after the first call; the box was leaked in `set` and is taken back once.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            drop(Box::from_raw(self.sleeper.as_ptr()));
        }
    }
}

/// Runs on librdkafka's threads, under the queue's lock: nothing but the unpark may happen here.
unsafe extern "C" fn unpark(_: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: `opaque` is the sleeper leaked in `Alarm::set`, freed only after this callback is taken out.
    let sleeper = unsafe { &*opaque.cast::<Sleeper>() };
    if !sleeper.quiet.load(Ordering::SeqCst) {
        sleeper.thread.unpark();
    }
}

/// Unparks a thread whenever a client's event queue goes from empty to not empty; dropped, it stops.
///
/// The callback is edge-triggered (rust-rdkafka #638, #665): after it fired, poll until
/// [`pending`](WakeGuard::pending) says 0 before parking again, and park with a time-out all the same. `poll`
/// returning `None` does not mean empty: it says so after a log line or a rebalance too.
pub struct WakeGuard {
    alarm: Alarm,
    queue: Queue,
    _client: KeepAlive,
}

impl WakeGuard {
    /// Wakes `thread` for rebalances, commit results, errors and log lines of a consumer. It takes the place of
    /// `BaseConsumer::set_nonempty_callback`: there is one callback per queue. The guard keeps the consumer
    /// alive, so drop it first.
    pub fn for_consumer<C>(consumer: &Arc<BaseConsumer<C>>, thread: Thread) -> WakeGuard
    where
        C: ConsumerContext + 'static,
    {
        let client = consumer.client().native_ptr();
        // SAFETY: the client is alive; the reference that comes back is ours. A consumer without a group has no
        // consumer queue, its events are in the main one.
        let queue = unsafe {
            Queue::owned(sys::rd_kafka_queue_get_consumer(client))
                .or_else(|| Queue::owned(sys::rd_kafka_queue_get_main(client)))
        };
        WakeGuard::set(queue, thread, consumer.clone())
    }

    /// Wakes `thread` for delivery reports, errors and log lines of a producer. The guard keeps the producer
    /// alive, so drop it first.
    pub fn for_producer<C>(producer: &Arc<BaseProducer<C>>, thread: Thread) -> WakeGuard
    where
        C: ProducerContext + 'static,
    {
        // SAFETY: the client is alive; the reference that comes back is ours.
        let queue = unsafe { Queue::owned(sys::rd_kafka_queue_get_main(producer.client().native_ptr())) };
        WakeGuard::set(queue, thread, producer.clone())
    }

    fn set(queue: Option<Queue>, thread: Thread, client: KeepAlive) -> WakeGuard {
        let queue = queue.expect("every librdkafka client has a main queue");
        WakeGuard { alarm: Alarm::set(&queue, thread), queue, _client: client }
    }

    /// Lets the thread sleep on while events come, or wakes it again for each. What came meanwhile wakes nobody: look
    /// at [`pending`](WakeGuard::pending) after the change.
    pub fn quiet(&self, quiet: bool) {
        self.alarm.quiet(quiet);
    }

    /// How many events wait in the queue.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }
}

/// What messages share with their queue. It is freed only when no message is left.
pub(super) struct Core {
    queue: Queue,
    client: *mut sys::rd_kafka_t,
    pub(super) live: AtomicUsize,
}

// SAFETY: `client` is compared, never followed.
unsafe impl Send for Core {}
// SAFETY: as above; the other fields are `Sync`.
unsafe impl Sync for Core {}

/// A queue of our own, to which a consumer's partitions are forwarded and from which batches are taken.
///
/// It belongs to the thread that owns the consumer, and keeps the consumer alive. Drop every message, then the
/// queue, then the consumer. Closing a client under its messages is undefined behaviour, so if a message is
/// still alive when the queue is dropped, the client is leaked instead, and an error logged:
/// ask [`live`](OwnQueue::live) before.
pub struct OwnQueue {
    alarm: Option<Alarm>,
    scratch: Scratch,
    /// Whether ends of partitions are among the messages.
    ends: bool,
    core: Arc<Core>,
    client: KeepAlive,
}

/// Room for the pointers of one batch.
struct Scratch(Vec<*mut sys::rd_kafka_message_t>);

// SAFETY: it is empty between two calls of `take`.
unsafe impl Send for Scratch {}
// SAFETY: it is only used through `&mut`.
unsafe impl Sync for Scratch {}

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
        let core = Arc::new(Core { queue, client, live: AtomicUsize::new(0) });
        // SAFETY: the client is alive.
        let ends = unsafe { sees_ends(client) };
        OwnQueue { alarm: None, scratch: Scratch(Vec::new()), ends, core, client: consumer.clone() }
    }

    /// Unparks `thread` from now on when the queue goes from empty to not empty. As with [`WakeGuard`], take
    /// until nothing comes before parking, and park with a time-out.
    pub fn wake(&mut self, thread: Thread) {
        // The old callback goes first: taken out afterwards, it would take the new one with it.
        self.alarm = None;
        self.alarm = Some(Alarm::set(&self.core.queue, thread));
    }

    /// What a rebalance hook needs to send partitions here. It does not keep the queue alive, so it may be kept
    /// in the consumer's own context.
    pub fn forwarder(&self) -> Forwarder {
        Forwarder(Arc::downgrade(&self.core))
    }

    /// Takes up to `max` messages without waiting, and says how many were appended to `into`.
    ///
    /// Among them are the partitions' own errors and ends, see [`Message::error`]. `max.poll.interval.ms` does
    /// not count these calls: poll the consumer too.
    pub fn take(&mut self, max: usize, into: &mut Vec<Message>) -> usize {
        let Scratch(pointers) = &mut self.scratch;
        pointers.reserve(max);
        let queue = self.core.queue.0.as_ptr();
        if self.ends {
            // A batch counts the end of a partition as a record (librdkafka 2.12, rd_kafka_q_serve_rkmessages): the
            // position is one behind the end then, and whenever a pause ends, also one that librdkafka itself makes for
            // a rebalance, reading goes on there and misses a record. A call for each knows the difference.
            // SAFETY: `&mut self` keeps a second thread out of the call; what comes back is ours.
            let next = || NonNull::new(unsafe { sys::rd_kafka_consume_queue(queue, 0) });
            pointers.extend(std::iter::from_fn(next).take(max).map(NonNull::as_ptr));
        } else {
            // SAFETY: there is room for `max` pointers; `&mut self` keeps a second thread out of the call. Time-out
            // 0, because with any other it waits the whole of it for a full batch.
            let taken = unsafe { sys::rd_kafka_consume_batch_queue(queue, 0, pointers.as_mut_ptr(), max) };
            // SAFETY: the call wrote `taken` pointers.
            unsafe { pointers.set_len(usize::try_from(taken).unwrap_or(0)) }
        }
        let taken = pointers.len();
        self.core.live.fetch_add(taken, Ordering::Relaxed);
        let core = NonNull::from(&*self.core);
        into.extend(pointers.drain(..).filter_map(NonNull::new).map(|raw| Message { raw, core }));
        taken
    }

    /// How many messages that came from here are still alive.
    pub fn live(&self) -> usize {
        self.core.live.load(Ordering::Acquire)
    }
}

/// Whether a client is told of the ends of partitions.
///
/// # Safety
/// The client must be alive.
unsafe fn sees_ends(client: *mut sys::rd_kafka_t) -> bool {
    let mut value = [0_u8; 8];
    let mut size = value.len();
    // SAFETY: the configuration lives as long as the client; there is room for `size` bytes.
    let got = unsafe {
        let conf = sys::rd_kafka_conf(client);
        sys::rd_kafka_conf_get(conf, c"enable.partition.eof".as_ptr(), value.as_mut_ptr().cast(), &mut size)
    };
    got == sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK && value.starts_with(b"true\0")
}

impl Drop for OwnQueue {
    fn drop(&mut self) {
        let live = self.live();
        if live > 0 {
            tracing::error!(live, "messages outlive their consumer, which is therefore never closed");
            mem::forget((self.core.clone(), self.client.clone()));
        }
    }
}

/// Sends a consumer's partitions to an [`OwnQueue`].
#[derive(Clone)]
pub struct Forwarder(Weak<Core>);

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
        let Some(core) = self.0.upgrade().filter(|core| core.client == client) else { return false };
        let Ok(topic) = CString::new(topic) else { return false };
        // SAFETY: the client is borrowed and therefore alive, also if `core` turns out to be its queue's last
        // owner; the queue is of this client; the reference that comes back is ours.
        unsafe {
            let fetched = sys::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            let Some(fetched) = Queue::owned(fetched) else { return false };
            sys::rd_kafka_queue_forward(fetched.0.as_ptr(), core.queue.0.as_ptr());
        }
        true
    }
}
