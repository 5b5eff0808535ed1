//! Waking the thread that reads a queue.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::queue::{KeepAlive, Queue};

/// A callback that unparks a thread. Whoever holds it keeps the queue alive longer.
pub(super) struct Alarm {
    queue: NonNull<sys::rd_kafka_queue_t>,
    sleeper: NonNull<Sleeper>,
}

/// Who is woken, unless it wants to sleep on.
struct Sleeper {
    thread: Thread,
    quiet: AtomicBool,
    /// Whether there was a call since it was last asked.
    rung: AtomicBool,
}

// SAFETY: the queue has its own lock, and `sleeper` is an own box of a `Send + Sync` type that is only shared.
unsafe impl Send for Alarm {}
// SAFETY: as above.
unsafe impl Sync for Alarm {}

impl Alarm {
    pub(super) fn set(queue: &Queue, thread: Thread) -> Alarm {
        // As if it had rung: what came before nobody hears of.
        let sleeper =
            Box::new(Sleeper { thread, quiet: AtomicBool::new(false), rung: AtomicBool::new(true) });
        let alarm = Alarm { queue: queue.raw(), sleeper: NonNull::from(Box::leak(sleeper)) };
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

    /// Whether there was a call since the last question, or something like it.
    pub(super) fn has_rung(&self) -> bool {
        self.sleeper().rung.swap(false, Ordering::SeqCst)
    }

    /// As if there had been a call.
    pub(super) fn ring(&self) {
        self.sleeper().rung.store(true, Ordering::SeqCst);
    }

    fn sleeper(&self) -> &Sleeper {
        // SAFETY: the box is ours until drop, and only shared.
        unsafe { self.sleeper.as_ref() }
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
    sleeper.rung.store(true, Ordering::SeqCst);
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
        self.alarm.sleeper().quiet.store(quiet, Ordering::SeqCst);
    }

    /// How many events wait in the queue.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }
}
