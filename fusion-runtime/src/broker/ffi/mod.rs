//! The calls that only librdkafka's C interface offers, and the only `unsafe` of the crate: in this folder.
//!
//! - [`Taker`] takes whole batches of messages, which costs half of polling them one by one, each from one
//!   [`PartitionQueue`]; [`OwnQueue`] is for several partitions together. Never ask a group's own consumer queue for a
//!   batch: there librdkafka answers every rebalance, an assign too, with an unassign (rdkafka.c, `rd_kafka_poll_cb`).
//! - [`Message`] owns its C pointer and can go to another thread.
//! - [`WakeGuard`] unparks a thread when a client has events.
//! - [`Commits`] tells what became of a commit.
//! - [`produce`] queues a record whose header names and values are any bytes, null included.
//! - [`Offsets`] and [`committed`] write and read the bytes beside a committed offset.
//! - [`GroupMetadata`] and the calls in [`transactions`] say what rust-rdkafka's keep to themselves: generations, and
//!   whether an error is to be repeated, aborted or final.
#![allow(unsafe_code)]

mod batch;
mod commits;
mod groups;
mod message;
mod offsets;
mod queue;
mod send;
#[cfg(test)]
mod tests;
pub mod transactions;
mod wake;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};

pub use batch::Batch;
pub use commits::Commits;
pub use groups::GroupMetadata;
pub use message::{Message, MessageError, NativeHeaders};
pub use offsets::{Committed, Offsets, committed, known_end};
pub use queue::{Forwarder, OwnQueue, PartitionQueue, Taker};
pub use send::produce;
pub use wake::WakeGuard;

/// Groups of the embedded broker form at once instead of after three seconds, and notice a lost member after
/// `session`.
pub(super) fn quicken_groups<C: ClientContext>(
    owner: &Client<C>,
    heartbeat_millis: i32,
    session_millis: i32,
) {
    // SAFETY: the client is alive; null means that it has no embedded broker.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(owner.native_ptr());
        if !cluster.is_null() {
            sys::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
            sys::rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(cluster, heartbeat_millis);
            sys::rd_kafka_mock_set_group_consumer_session_timeout_ms(cluster, session_millis);
        }
    }
}
