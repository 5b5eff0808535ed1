//! Requests and their replies.
//!
//! `Requests` sends what a graph or a pipeline asks and keeps a table of what is not answered yet. A
//! `reader` reads the topic that the replies go to and completes the table's entries, each at most once.

mod ephemeral;
mod outcomes;
mod policy;
mod reader;
mod replies;
mod requests;
mod sending;
mod table;

pub(crate) use policy::ReplyPolicy;
pub use replies::Replies;
pub(crate) use requests::Requests;
