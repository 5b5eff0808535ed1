//! What `deps!` becomes: one future per node, joined in the future of the run itself.
//!
//! Every node has a [`Slot`] that is written once. A node's future waits for the slots it depends on, builds
//! its arguments and asks; [`Join`] polls all of them, in an order in which no node stands before one it
//! depends on, so a request leaves the moment its last input has arrived. Nothing is spawned and nothing
//! is boxed per node.

mod answer;
mod caller;
mod each;
mod error;
mod hold;
mod items;
mod join;
mod memo;
mod outcome;
mod request;
mod seen;
mod slot;

pub use answer::{Answer, FromOutcome, Sent, Stored};
pub use caller::{Caller, ReadableReply, Terms};
pub(crate) use caller::{Question, read, shape};
pub use each::each;
pub use error::CallError;
pub use items::{Items, ItemsByCopy, ItemsByRef, Iterable};
pub use join::{Join, Node, join, node};
pub use outcome::{none, or, or_if, ran, some};
pub use request::{Delivered, Departure, Forget, PendingReply, Reply, Request, Route};
pub use seen::{Seen, SeenByCopy, SeenByRef};
pub use slot::{Each, Maybe, MaybeEach, One, Slot, Taker};
